/**
 * `exists` / `not-initialised` / `not-pinned`: the folder is not in the state that the command needs. `exposed-key`: a key
 * file that others can read. `bad-input`: a file or argument does not fit. `refused`: the desk or our own rules said no.
 * `unreachable`: the desk did not answer. `damaged`: what lies on disk is not what was put there. `closed`: shutting down.
 * `disk-full`: nothing can be written.
 */
export type BureauErrorCode =
  | "exists"
  | "not-initialised"
  | "not-pinned"
  | "exposed-key"
  | "bad-input"
  | "refused"
  | "unreachable"
  | "damaged"
  | "closed"
  | "disk-full";

/** SQLITE_FULL. */
const STORE_FULL = 13;
const NO_SPACE: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "disk-full"]);

/** Whether the system, the store, or we said that there is no room. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("errcode" in error && error.errcode === STORE_FULL) || ("code" in error && NO_SPACE.has(error.code));
}

/** The one error class of the bureau. Neither code nor message holds a key or anything about a person. */
export class BureauError extends Error {
  readonly code: BureauErrorCode;

  constructor(code: BureauErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BureauError";
    this.code = code;
  }
}
