import type { ClientBase } from "pg";
import { LedgerError } from "../error.ts";
import { CHECKPOINT_PATH } from "../storage/tile-storage.ts";
import type { LogEdge } from "../tree/edge.ts";
import type { Prover } from "../tree/prover.ts";
import { readHead } from "./head.ts";
import type { SequencerOptions } from "./options.ts";
import { type Published, published } from "./published.ts";

type Lead = { readonly client: ClientBase; readonly edge: LogEdge };

/** The checkpoint with a quorum's cosignatures, where there are witnesses; throws `quorum-missing`, upon which it is tried again. */
export const cosign = async (
  { witnesses, log }: SequencerOptions,
  { client, edge }: Lead,
  { checkpoint, prover }: { checkpoint: Uint8Array; prover: Prover },
): Promise<Uint8Array> => {
  if (witnesses === undefined) return checkpoint;
  const result = await witnesses.cosign({
    note: checkpoint,
    oldSize: edge.size,
    consistency: prover.consistency,
    headSize: async () => (await readHead(client))?.size ?? 0,
  });
  if (result.ok) return result.note;
  log?.warn({ failures: result.failures }, "the witnesses' quorum is missing");
  const words = result.failures.map(({ name, why }) => `${name}: ${why}`).join("; ");
  throw new LedgerError("quorum-missing", `the checkpoint is not published without its quorum of witnesses (${words})`);
};

/** What is published already must have its quorum too, as when witnesses are asked for the first time. */
export const cosignPublished = async (options: SequencerOptions, lead: Lead, out: Published): Promise<Published> => {
  if (!options.witnesses?.demandsQuorum || out.witnessed) return out;
  const checkpoint = await cosign(options, lead, out);
  await options.tiles.replace({ path: CHECKPOINT_PATH, bytes: checkpoint });
  return published(options, { size: out.size, root: out.root, checkpoint });
};
