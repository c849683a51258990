/** Closed refusal codes of the release protocol with their HTTP status (docs/spec/release-protocol.md, section 5). */
export const REFUSALS = {
  malformed: 400,
  unsigned: 401,
  "bad-signature": 401,
  stale: 401,
  replayed: 409,
  "unknown-key": 403,
  "agreement-not-in-force": 403,
  "no-open-run": 409,
  "not-in-run": 409,
  withdrawn: 410,
  held: 423,
  "line-busy": 409,
  "limit-reached": 429,
  "too-fast": 429,
  "attempt-refused": 409,
  "already-answered": 409,
  expired: 410,
  "chain-broken": 409,
  "unknown-job": 404,
  unavailable: 503,
} as const;

/** What the bureau may be told; it never says why. */
export type RefusalCode = keyof typeof REFUSALS;

/** Guards a text from the wire: is it one of the closed codes? */
export function isRefusalCode(text: unknown): text is RefusalCode {
  return typeof text === "string" && Object.hasOwn(REFUSALS, text);
}
