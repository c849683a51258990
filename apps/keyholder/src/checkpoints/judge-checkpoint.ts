import type { ConsistencyClaim } from "@tipstaff/ledger";

export type TreeHead = { readonly size: number; readonly root: Uint8Array };
export type CheckpointClaim = TreeHead & { readonly oldSize: number; readonly proof: readonly Uint8Array[] };

export type CheckpointVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "smaller" | "fork" | "other-old-size" | "inconsistent" };

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * May this tree head be signed after the last one? The same again, or one that provably extends it. Everything else is
 * another history: smaller, of the same size with another root, or not consistent.
 */
export function judgeCheckpoint(
  last: TreeHead,
  next: CheckpointClaim,
  verifyConsistency: (claim: ConsistencyClaim) => boolean,
): CheckpointVerdict {
  if (next.size < last.size) return { ok: false, reason: "smaller" };
  if (next.size === last.size) return equal(next.root, last.root) ? { ok: true } : { ok: false, reason: "fork" };
  if (next.oldSize !== last.size) return { ok: false, reason: "other-old-size" };
  const { size, root, proof } = next;
  const consistent = verifyConsistency({ oldSize: last.size, oldRoot: last.root, size, root, proof });
  return consistent ? { ok: true } : { ok: false, reason: "inconsistent" };
}
