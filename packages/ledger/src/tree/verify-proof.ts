import { equalBytes } from "../bytes.ts";
import { emptyRoot, HASH_LENGTH, nodeHash } from "./hashes.ts";

/** A leaf, its place, and the audit path to the root (RFC 6962, section 2.1.1). */
export type InclusionClaim = {
  readonly index: number | bigint;
  readonly size: number | bigint;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
};

/** Longest proof that a tree of fewer than 2^63 entries can need. */
const MAX_PROOF_HASHES = 64;
const isHash = (bytes: Uint8Array): boolean => bytes.length === HASH_LENGTH;
const isProof = (proof: readonly Uint8Array[]): boolean => proof.length <= MAX_PROOF_HASHES && proof.every(isHash);
const isCount = (n: number | bigint): boolean => (typeof n === "bigint" ? n >= 0n : Number.isSafeInteger(n) && n >= 0);

/** Whether the leaf stands at this index of the tree with this size and root (RFC 9162, section 2.1.3.2). Never throws. */
export const verifyInclusion = (claim: InclusionClaim): boolean => {
  const { leafHash, proof, root } = claim;
  if (!isCount(claim.index) || !isCount(claim.size)) return false;
  if (BigInt(claim.index) >= BigInt(claim.size) || !isHash(leafHash) || !isHash(root) || !isProof(proof)) return false;
  let index = BigInt(claim.index);
  let last = BigInt(claim.size) - 1n;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if ((index & 1n) === 1n || index === last) {
      hash = nodeHash(sibling, hash);
      while ((index & 1n) === 0n && index !== 0n) {
        index >>= 1n;
        last >>= 1n;
      }
    } else hash = nodeHash(hash, sibling);
    index >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash, root);
};

/** Two trees, and the proof that the old one is a prefix (RFC 6962, section 2.1.2). */
export type ConsistencyClaim = {
  readonly oldSize: number | bigint;
  readonly oldRoot: Uint8Array;
  readonly size: number | bigint;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/**
 * Whether the tree of the old size is a prefix of the new one (RFC 9162, section 2.1.4.2). The same size needs the same
 * root and no proof; from the empty tree the old root is the hash of nothing, and there is no proof. Never throws.
 */
export const verifyConsistency = (claim: ConsistencyClaim): boolean => {
  const { oldRoot, root, proof } = claim;
  if (!isCount(claim.oldSize) || !isCount(claim.size) || !isHash(oldRoot) || !isHash(root) || !isProof(proof)) {
    return false;
  }
  const oldSize = BigInt(claim.oldSize);
  const size = BigInt(claim.size);
  if (oldSize > size) return false;
  if (oldSize === size) return proof.length === 0 && equalBytes(oldRoot, root) && fitsEmpty(size, root);
  if (oldSize === 0n) return proof.length === 0 && equalBytes(oldRoot, emptyRoot());
  return foldConsistency({ oldSize, oldRoot, size, root, proof });
};

const fitsEmpty = (size: bigint, root: Uint8Array): boolean => size > 0n || equalBytes(root, emptyRoot());

const foldConsistency = (claim: ConsistencyClaim & { oldSize: bigint; size: bigint }): boolean => {
  const isPower = (claim.oldSize & (claim.oldSize - 1n)) === 0n;
  const [seed, ...rest] = isPower ? [claim.oldRoot, ...claim.proof] : claim.proof;
  if (seed === undefined || claim.proof.length === 0) return false;
  let node = claim.oldSize - 1n;
  let last = claim.size - 1n;
  while ((node & 1n) === 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  let oldHash = seed;
  let newHash = seed;
  for (const hash of rest) {
    if (last === 0n) return false;
    if ((node & 1n) === 1n || node === last) {
      oldHash = nodeHash(hash, oldHash);
      newHash = nodeHash(hash, newHash);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else newHash = nodeHash(newHash, hash);
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(oldHash, claim.oldRoot) && equalBytes(newHash, claim.root);
};
