import { equalBytes } from "../bytes.ts";
import type { MlDsa44Verify } from "../crypto.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import type { LogKey } from "../formats/log-key.ts";
import type { Policy } from "../formats/policy.ts";
import { verifyPolicy } from "../formats/verify-policy.ts";
import { emptyRoot } from "../tree/hashes.ts";
import { verifyConsistency } from "../tree/verify-proof.ts";
import type { AddCheckpoint } from "./add-checkpoint.ts";

/** The largest tree of a log that a witness has cosigned. */
export type WitnessedHead = { readonly size: bigint; readonly root: Uint8Array };

/** A log whose checkpoints are cosigned. Whoever is not in the list is nobody. */
export type WitnessedLog = { readonly origin: string; readonly keys: readonly LogKey[] };

export type CosignDecision =
  | { readonly status: 200; readonly head: WitnessedHead }
  | { readonly status: 409; readonly reason: "other-size" | "other-root"; readonly size: bigint }
  | { readonly status: 400; readonly reason: "old-size-beyond" }
  | { readonly status: 422; readonly reason: "inconsistent" };

const NO_WITNESSES: Policy = { logs: [], witnesses: [], quorum: "none" };

/**
 * The checkpoint that a known log signed, or the status that refuses it: 404 for an origin that is not in the list, 403
 * where none of that log's keys signed. Throws `note-malformed` or `checkpoint-malformed`.
 */
export const openForWitness = (
  bytes: Uint8Array,
  log: WitnessedLog | undefined,
  mlDsa44?: MlDsa44Verify,
): { readonly ok: true; readonly checkpoint: Checkpoint } | { readonly ok: false; readonly status: 403 | 404 } => {
  if (log === undefined) return { ok: false, status: 404 };
  const verdict = verifyPolicy(bytes, { policy: NO_WITNESSES, log, ...(mlDsa44 ? { mlDsa44 } : {}) });
  return verdict.ok ? { ok: true, checkpoint: verdict.checkpoint } : { ok: false, status: 403 };
};

/**
 * May this checkpoint be cosigned after that head (C2SP tlog-witness, add-checkpoint)? `undefined` as state: this log was
 * never cosigned. Its signature has been verified already.
 */
export const decideCosign = (
  state: WitnessedHead | undefined,
  { oldSize, proof, checkpoint }: Omit<AddCheckpoint, "checkpoint"> & { checkpoint: Checkpoint },
): CosignDecision => {
  const last = state ?? { size: 0n, root: emptyRoot() };
  const { size, root } = checkpoint;
  if (oldSize > size) return { status: 400, reason: "old-size-beyond" };
  if (oldSize !== last.size) return { status: 409, reason: "other-size", size: last.size };
  if (size === last.size && !equalBytes(root, last.root)) {
    return { status: 409, reason: "other-root", size: last.size };
  }
  if (!verifyConsistency({ oldSize, oldRoot: last.root, size, root, proof })) {
    return { status: 422, reason: "inconsistent" };
  }
  return { status: 200, head: { size, root } };
};
