/** What broke; a closed set, so that callers can branch on it. */
export type ArtworkErrorCode =
  | "font-unusable"
  | "svg-refused"
  | "portrait-unusable"
  | "seal-too-long"
  | "card-broken"
  | "template-broken";

/** The one error of this package: hostile or broken bytes, never a person's over-long name (that is a refusal). */
export class ArtworkError extends Error {
  override readonly name = "ArtworkError";
  readonly code: ArtworkErrorCode;

  constructor(code: ArtworkErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
