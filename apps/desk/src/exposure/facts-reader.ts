import { z } from "zod";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";

/** Entries in one question to the keyholder: with openings about 1 KB each. */
const BATCH = 8192;
/** Remembered at most; about 300 bytes each. */
const MAX_REMEMBERED = 200_000;

/** What one entry says was disclosed, under a pseudonym. */
export type DisclosedFacts = {
  readonly pseudonym: string;
  readonly categories: readonly string[];
  readonly rank: string;
  readonly postSensitivity: string;
  /** When the entry's event was: a release, or the declaration of what was disclosed before. */
  readonly atMs: number;
  /** The time that was declared; undefined for a release. */
  readonly declared: { readonly fromMs: number; readonly toMs: number | null } | undefined;
};

export type FactsReader = {
  /** Facts of these entries, in order. Every question stands in the keyholder's journal, whatever is remembered. */
  readonly read: (
    operations: readonly Buffer[],
    asking: { readonly reason: string; readonly actor: string },
  ) => Promise<DisclosedFacts[]>;
};

/** Has the keyholder open entries of kinds `release` and `disclosure`, and remembers, in memory alone, what it opened: entries never change. */
export function createFactsReader(desk: Pick<Desk, "keyholder" | "sequencer">): FactsReader {
  const remembered = new Map<string, DisclosedFacts>();
  return {
    read: async (operations, { reason, actor }) => {
      const ids = operations.map((operation) => operation.toString("base64url"));
      const missing = operations.filter((_, at) => !remembered.has(ids[at] ?? ""));
      const told = `${reason}: ${operations.length} entries, ${missing.length} of them for the first time`;
      const asking = { reason: told, actor };
      // What the keyholder released or opened in this life it answers without the openings.
      const fresh = await ask(
        desk.keyholder,
        missing.map((operation) => toAsked(operation)),
        asking,
      );
      const unknown = missing.filter((operation) => !fresh.has(operation.toString("base64url")));
      for (let start = 0; start < unknown.length; start += BATCH) {
        const batch = unknown.slice(start, start + BATCH);
        const events = await desk.sequencer.events(batch);
        const entries = batch.map((operation, at) => toAsked(operation, events[at]));
        for (const [id, facts] of await ask(desk.keyholder, entries, asking)) fresh.set(id, facts);
      }
      const answer = ids.map((id) => remembered.get(id) ?? fresh.get(id)).map(assertOpened);
      for (const [id, facts] of fresh) if (remembered.size < MAX_REMEMBERED) remembered.set(id, facts);
      return answer;
    },
  };
}

type Asked = { readonly operationId: string; readonly openings: string };

function toAsked(operation: Buffer, openings?: Uint8Array): Asked {
  return {
    operationId: operation.toString("base64url"),
    openings: openings instanceof Uint8Array ? Buffer.from(openings).toString("base64url") : "",
  };
}

async function ask(
  keyholder: Desk["keyholder"],
  entries: readonly Asked[],
  asking: { reason: string; actor: string },
): Promise<Map<string, DisclosedFacts>> {
  const { facts } = await keyholder.call("facts/open", { ...asking, entries: [...entries] });
  const opened = entries.map(({ operationId }, at) => ({ operationId, facts: facts[at] ?? null }));
  return new Map(opened.flatMap(({ operationId, facts }) => (facts === null ? [] : [[operationId, toFacts(facts)]])));
}

const factsSchema = z.object({
  categories: z.array(z.string()),
  postSensitivity: z.string(),
  pseudonym: z.string(),
  rank: z.string(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().nullish(),
});

function toFacts({ at, facts }: { at: string; facts: string }): DisclosedFacts {
  const { from, to, ...disclosed } = factsSchema.parse(JSON.parse(facts));
  const declared = from === undefined ? undefined : { fromMs: Date.parse(from), toMs: to ? Date.parse(to) : null };
  return { ...disclosed, atMs: Date.parse(at), declared };
}

function assertOpened(facts: DisclosedFacts | undefined): DisclosedFacts {
  if (facts !== undefined) return facts;
  // Leaving it out would make the recipient look better than it is.
  throw new DeskError(
    "broken-invariant",
    "The keyholder cannot open an entry about a disclosure, so no exposure can be told",
  );
}
