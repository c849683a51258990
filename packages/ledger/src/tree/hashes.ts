import { DIGEST_LENGTH, sha256 } from "../crypto.ts";
import { LedgerError } from "../error.ts";

/** Length of every hash in the tree, in bytes. */
export const HASH_LENGTH = DIGEST_LENGTH;

// Hashing is synchronous, so one buffer serves every call; making one for each costs as much as the hash.
let leafInput = new Uint8Array(1024);
const nodeInput = new Uint8Array(1 + 2 * HASH_LENGTH);
nodeInput[0] = 0x01;

/** SHA-256(0x00 ‖ entry): the hash of one leaf (RFC 6962, section 2.1). */
export const leafHash = (entry: Uint8Array): Uint8Array => {
  const length = 1 + entry.length;
  if (length > leafInput.length) leafInput = new Uint8Array(length);
  leafInput.set(entry, 1);
  return sha256(leafInput.subarray(0, length));
};

/** SHA-256(0x01 ‖ left ‖ right): the hash of an inner node (RFC 6962, section 2.1). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  if (left.length !== HASH_LENGTH || right.length !== HASH_LENGTH) {
    throw new LedgerError("range-invalid", "an inner node is hashed from two hashes of 32 bytes");
  }
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_LENGTH);
  return sha256(nodeInput);
};

/** The root of a tree without leaves: SHA-256 of nothing. */
export const emptyRoot = (): Uint8Array => sha256(new Uint8Array(0));

/** Throws `range-invalid` unless this is a whole number from 0 up to 2^53 − 1. */
export const assertSize = (size: number, what = "a tree size"): void => {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new LedgerError("range-invalid", `${what} must be a whole number from 0 up to 2^53 − 1`);
  }
};

/** The largest power of two below n (n ≥ 2), by which RFC 6962 splits a tree. */
export const splitOf = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

/** The hash over perfect subtrees that stand side by side, the largest first. */
export const foldPeaks = (peaks: readonly Uint8Array[]): Uint8Array =>
  peaks.reduceRight<Uint8Array | undefined>((right, left) => (right ? nodeHash(left, right) : left), undefined) ??
  emptyRoot();
