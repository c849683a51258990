export type AgreementErrorCode = "no-limits";

/** A broken invariant: the caller asked for what the agreement cannot have. `code` says which. */
export class AgreementError extends Error {
  readonly code: AgreementErrorCode;

  constructor(code: AgreementErrorCode, message: string) {
    super(message);
    this.name = "AgreementError";
    this.code = code;
  }
}
