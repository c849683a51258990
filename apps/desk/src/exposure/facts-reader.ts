import { z } from "zod";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";

/** Entries in one question to the keyholder: with openings about 5 KB each. */
const BATCH = 8192;
/** Remembered at most; about 300 bytes each. */
const MAX_REMEMBERED = 200_000;

/** What one release disclosed, under a pseudonym. */
export type ReleaseFacts = {
  readonly pseudonym: string;
  readonly categories: readonly string[];
  readonly rank: string;
  readonly postSensitivity: string;
  readonly releasedAtMs: number;
};

export type FactsReader = {
  /** Facts of these releases, in order. Every question stands in the keyholder's journal, whatever is remembered. */
  readonly read: (
    operations: readonly Buffer[],
    asking: { readonly reason: string; readonly actor: string },
  ) => Promise<ReleaseFacts[]>;
};

/** Has the keyholder open release entries, and remembers, in memory alone, what it opened: entries never change. */
export function createFactsReader(desk: Pick<Desk, "keyholder" | "sequencer">): FactsReader {
  const remembered = new Map<string, ReleaseFacts>();
  return {
    read: async (operations, { reason, actor }) => {
      const ids = operations.map((operation) => operation.toString("base64url"));
      const missing = operations.filter((_, at) => !remembered.has(ids[at] ?? ""));
      const told = `${reason}: ${operations.length} releases, ${missing.length} of them for the first time`;
      const fresh = new Map<string, ReleaseFacts>();
      for (let start = 0; start === 0 || start < missing.length; start += BATCH) {
        const batch = missing.slice(start, start + BATCH);
        for (const [id, facts] of await open(desk, batch, { reason: told, actor })) fresh.set(id, facts);
      }
      const answer = ids.map((id) => remembered.get(id) ?? fresh.get(id)).map(assertOpened);
      for (const [id, facts] of fresh) if (remembered.size < MAX_REMEMBERED) remembered.set(id, facts);
      return answer;
    },
  };
}

async function open(
  { keyholder, sequencer }: Pick<Desk, "keyholder" | "sequencer">,
  operations: readonly Buffer[],
  asking: { reason: string; actor: string },
): Promise<[string, ReleaseFacts][]> {
  const found = await sequencer.entries(operations);
  const entries = operations.map((operation, at) => ({
    operationId: operation.toString("base64url"),
    openings: Buffer.from(found[at]?.openings ?? []).toString("base64url"),
  }));
  const { facts } = await keyholder.call("facts/open", { ...asking, entries });
  return entries.flatMap(({ operationId }, at): [string, ReleaseFacts][] => {
    const opened = facts[at];
    return opened === null || opened === undefined ? [] : [[operationId, toFacts(opened)]];
  });
}

const factsSchema = z.object({
  categories: z.array(z.string()),
  postSensitivity: z.string(),
  pseudonym: z.string(),
  rank: z.string(),
});

function toFacts({ at, facts }: { at: string; facts: string }): ReleaseFacts {
  return { ...factsSchema.parse(JSON.parse(facts)), releasedAtMs: Date.parse(at) };
}

function assertOpened(facts: ReleaseFacts | undefined): ReleaseFacts {
  if (facts !== undefined) return facts;
  // Leaving it out would make the recipient look better than it is.
  throw new DeskError("broken-invariant", "The keyholder cannot open a release's entry, so no exposure can be told");
}
