import type { Published } from "./published.ts";

/**
 * How far an entry is; each state includes those before it.
 * `accepted`: committed to the intake, and the log will hold it. `sequenced`: it has its index, for ever. `logged`: it stands
 * under a published checkpoint that the log's key signed. `witnessed`: and that checkpoint carries the quorum of the
 * sequencer's policy; never reached without a policy, or with `quorum none`. Where a policy demands a quorum nothing is
 * published without it, so an entry goes from `sequenced` to `witnessed` at once: `logged` alone are then only entries from
 * before the policy, until the checkpoint over them is cosigned too.
 */
export type EntryState = "accepted" | "sequenced" | "logged" | "witnessed";

/** The state of an entry by its index (`null`: it waits for one) and what is published. */
export const entryState = (
  index: number | null,
  out: Pick<Published, "size" | "witnessed"> | undefined,
): EntryState => {
  if (index === null) return "accepted";
  if (out === undefined || index >= out.size) return "sequenced";
  return out.witnessed ? "witnessed" : "logged";
};
