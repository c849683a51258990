/** Every way in which the keyholder refuses a call, with its HTTP status. What it decides about a release is an outcome. */
export const REFUSED_CALLS = {
  malformed: 400,
  "too-large": 413,
  "unknown-call": 404,
  "unknown-person": 404,
  "root-exists": 409,
  "batch-too-old": 409,
  "wrapped-key-refused": 409,
  "log-not-pinned": 409,
  "other-log": 409,
  "agreement-faulty": 400,
  "verifier-key-faulty": 400,
  "same-person": 409,
  unavailable: 503,
  broken: 500,
} as const;
export type RefusedCallCode = keyof typeof REFUSED_CALLS;

/** A call that the keyholder does not do; nothing of it is kept. Its words hold no keys and no personal data. */
export class RefusedCall extends Error {
  readonly code: RefusedCallCode;

  constructor(code: RefusedCallCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RefusedCall";
    this.code = code;
  }
}
