import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import type { EntryFacts } from "./facts-cache.ts";
import { readEvent } from "./read-event.ts";

/**
 * Opens the event part of entries. Empty openings ask for what this process opened before; `null` where there is none,
 * or where the openings are not this operation's. One journal entry a query, before anything is answered.
 */
export function openFacts(
  keyholder: Keyholder,
  { reason, actor, entries }: KeyholderRequest<"facts/open">,
): KeyholderResponse<"facts/open"> {
  const { store, now } = keyholder;
  const facts = entries.map((entry) => openOne(keyholder, entry) ?? null);
  const opened = facts.reduce((count, entry) => count + (entry === null ? 0 : 1), 0);
  store.transaction(() => {
    const detail = { actor, reason, asked: entries.length, opened };
    appendJournal(store, { at: now(), what: "facts-opened", detail });
  });
  return { facts };
}

type Asked = KeyholderRequest<"facts/open">["entries"][number];

function openOne({ keys, factsCache }: Keyholder, asked: Asked): EntryFacts | undefined {
  const { operationId, openings } = asked;
  const known = factsCache.get(operationId);
  if (known !== undefined || openings === "") return known;
  const opened = readEvent(keys.log, asked);
  const facts = opened && toEntryFacts(opened.fields);
  if (facts !== undefined) factsCache.set(operationId, facts);
  return facts;
}

/** The facts of an entry whose event part is open. */
export function toEntryFacts(fields: EntryFacts): EntryFacts {
  const { kind, recipient, at, order, job, attempt, agreement, request, facts, detail } = fields;
  return { kind, recipient, at, order, job, attempt, agreement, request, facts, detail };
}
