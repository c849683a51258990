import type { ReleaseRequest } from "./bureau-messages.ts";
import { sha256 } from "./crypto.ts";
import { concat, lp, u32be, u64be, utf8 } from "./encoding.ts";

const CHAIN = utf8("tipstaff/chain/v1");
const RELEASE = "tipstaff/release/v1";
const OUTCOME = utf8("tipstaff/outcome/v1");
const ORDER = utf8("tipstaff/order/v1");

const digestLength = 32;
const assertDigest = (bytes: Uint8Array, what: string): void => {
  if (bytes.length !== digestLength) throw new RangeError(`${what}: ${digestLength} bytes`);
};

/**
 * What makes two release requests the same (docs/spec/release-protocol.md, section 3): 32 bytes. A request with the same
 * identity, signed again, is a retry. Takes a request that `releaseRequestSchema` has accepted.
 */
export const releaseIdentity = (
  request: Pick<ReleaseRequest, "recipient" | "order" | "job" | "attempt" | "line" | "previous" | "key">,
): Uint8Array => {
  const previous = Buffer.from(request.previous, "hex");
  assertDigest(previous, "previous");
  return sha256(
    concat(
      utf8(RELEASE),
      lp(request.recipient),
      lp(request.order),
      lp(request.job),
      u32be(request.attempt),
      lp(request.line),
      previous,
      sha256(Buffer.from(request.key, "base64url")),
    ),
  );
};

/** The `detail` of a release's entry (section 4): the line, and the chain value that the request continues. */
export const releaseDetail = ({ line, previous }: Pick<ReleaseRequest, "line" | "previous">): string =>
  JSON.stringify({ line, previous });

/** A line's chain value before its first request (section 3): 32 bytes. */
export const chainStart = (recipient: string, line: string): Uint8Array =>
  sha256(concat(CHAIN, lp(recipient), lp(line)));

/** A line's chain value after a request with this identity was reserved (section 3): 32 bytes. */
export const chainNext = (previous: Uint8Array, identity: Uint8Array): Uint8Array => {
  assertDigest(previous, "previous");
  assertDigest(identity, "identity");
  return sha256(concat(CHAIN, previous, identity));
};

/** A line's chain value after the force restarted it (section 3): 32 bytes. `restart` is the restart's id. */
export const chainRestart = (recipient: string, line: string, restart: string): Uint8Array =>
  sha256(concat(CHAIN, lp(recipient), lp(line), lp(restart)));

/** HPKE's `info` of a release (section 4): the sealed key is bound to its place in the log. */
export const releaseInfo = (input: {
  attempt: number;
  identity: Uint8Array;
  origin: string;
  index: number;
  leafHash: Uint8Array;
}): Uint8Array => {
  assertDigest(input.identity, "identity");
  assertDigest(input.leafHash, "leafHash");
  return concat(
    lp(RELEASE),
    u32be(input.attempt),
    input.identity,
    lp(input.origin),
    u64be(input.index),
    input.leafHash,
  );
};

/** The bytes that the force key signs over what became of a logged release (section 4). */
export const outcomeStatement = (
  outcome:
    | { outcome: "released"; leafHash: Uint8Array; enc: Uint8Array; sealed: Uint8Array }
    | { outcome: "cancelled"; leafHash: Uint8Array; code: string },
): Uint8Array => {
  assertDigest(outcome.leafHash, "leafHash");
  return outcome.outcome === "released"
    ? concat(OUTCOME, outcome.leafHash, lp("released"), sha256(concat(outcome.enc, outcome.sealed)))
    : concat(OUTCOME, outcome.leafHash, lp("cancelled"), lp(outcome.code));
};

/** The bytes that the force key signs over an order's manifest, by the SHA-256 of its line (section 6). */
export const orderStatement = (digest: Uint8Array): Uint8Array => {
  assertDigest(digest, "digest");
  return concat(ORDER, digest);
};
