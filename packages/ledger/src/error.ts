/** Every way in which this package throws. */
export type LedgerErrorCode =
  | "entry-invalid"
  | "leaf-malformed"
  | "openings-malformed"
  | "census-malformed"
  | "note-malformed"
  | "verifier-key-malformed"
  | "signer-invalid"
  | "checkpoint-malformed"
  | "cosignature-malformed"
  | "policy-malformed"
  | "witness-request-malformed"
  | "witness-missing"
  | "quorum-missing"
  | "path-malformed"
  | "bundle-malformed"
  | "proof-malformed"
  | "range-invalid"
  | "tile-missing"
  | "tile-malformed"
  | "tile-conflict"
  | "storage-failed"
  | "intake-conflict"
  | "log-halted"
  | "log-missing"
  | "wait-timeout"
  | "sequencer-stopped"
  | "signature-refused";

/** The one error class of this package: `code` is for programs, `message` for people; neither holds personal data. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LedgerError";
    this.code = code;
  }
}
