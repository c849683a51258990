/**
 * Why the desk cannot run or go on: `bad-config`, `bad-arguments`, `not-initialised` (init was never run here, or the
 * log's folder is gone), `already-initialised`, `wrong-keyholder` (another force's, or another register's keys),
 * `unavailable` (database or keyholder), `broken-invariant`.
 */
export type DeskErrorCode =
  | "bad-config"
  | "bad-arguments"
  | "not-initialised"
  | "already-initialised"
  | "wrong-keyholder"
  | "unavailable"
  | "broken-invariant";

/** The desk's one error class. Its message holds no personal data and no secret. */
export class DeskError extends Error {
  readonly code: DeskErrorCode;

  constructor(code: DeskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeskError";
    this.code = code;
  }
}
