/**
 * `not-authentic`: key, context or bytes do not belong together, or bytes were changed. `malformed`: these bytes are not
 * of this kind. `invalid-input`: a caller's value is out of its bounds. `too-large`: above the largest bucket. The rest
 * is about the key file.
 */
export type SealingErrorCode =
  | "not-authentic"
  | "malformed"
  | "invalid-input"
  | "too-large"
  | "key-file-exists"
  | "key-file-missing"
  | "key-file-exposed"
  | "key-file-misplaced"
  | "key-file-malformed"
  | "passphrase-required"
  | "passphrase-wrong";

/** The one error class of this package: `code` is for programs, `message` for people; neither holds secrets or people. */
export class SealingError extends Error {
  readonly code: SealingErrorCode;

  constructor(code: SealingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SealingError";
    this.code = code;
  }
}
