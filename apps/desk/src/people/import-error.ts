/**
 * Why an import did not happen. Nothing was changed in the register, whichever it is.
 * `bad-file`: not a table that can be read; `bad-mapping`: the mapping file, or the columns, do not fit; `bad-photos`: the
 * folder or archive of photos; `too-many-leavers`, `budget-exceeded`: a person must decide; `already-running`: another import is at
 * work; `changed-meanwhile`: the file or the register changed between looking and writing.
 */
export type ImportErrorCode =
  | "bad-file"
  | "bad-mapping"
  | "bad-photos"
  | "too-many-leavers"
  | "budget-exceeded"
  | "already-running"
  | "changed-meanwhile";

/** An import's one error class. Its message says what to do, and never holds a value out of the file. */
export class ImportError extends Error {
  readonly code: ImportErrorCode;

  constructor(code: ImportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ImportError";
    this.code = code;
  }
}
