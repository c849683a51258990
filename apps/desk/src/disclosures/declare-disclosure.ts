import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import type { Draft } from "../entries/number-drafts.ts";
import { type RecordedEntry, recordEntries } from "../entries/record-entries.ts";
import { type OpenedPerson, readPeople } from "../people/register.ts";
import { budgetExceeded } from "../server/budget-exceeded.ts";
import { Problem } from "../server/problem.ts";
import { type DisclosureTerms, digestTerms, type ListedNumber } from "./disclosure-rules.ts";
import { findListed } from "./find-listed.ts";

const BATCH = 1000;

export type Declaration = {
  readonly terms: DisclosureTerms;
  /** Words of the person who declares; they stand on the ledger, so no names. */
  readonly reason: string;
  readonly list: readonly ListedNumber[];
  /** A staff id. */
  readonly actor: string;
  /** Look people up, and open and write nothing. */
  readonly dryRun: boolean;
};

export type Declared = {
  /** People whom the list names. */
  readonly people: number;
  /** Of these, those for whom it stands on the ledger by this call, or would. */
  readonly declared: number;
  /** Of these, those for whom the same disclosure stood there before. */
  readonly already: number;
  readonly unknown: number;
  readonly unknownLines: readonly number[];
  readonly ambiguousLines: readonly number[];
  readonly dryRun: boolean;
};

/**
 * Puts a disclosure that was made outside this log on it: one entry for each person, with rank and post sensitivity as
 * they are today. What stands there already is passed over, so a call that was cut off is finished by the same call.
 * Throws Problem `budget-exceeded` before anything is written, and `declared-meanwhile`.
 */
export async function declareDisclosure(desk: Desk, declaration: Declaration): Promise<Declared> {
  const { terms, list, actor, dryRun } = declaration;
  const digest = digestTerms(terms);
  const reference = `disclosure/${digest.slice(0, 16)}`;
  const { people, unknownLines, ambiguousLines } = await findListed(desk, { list, reference, actor });
  const standing = await findStanding(desk, digest, [...people.keys()]);
  const fresh = [...people.keys()].filter((person) => !standing.has(person));
  const unknown = [...unknownLines];
  if (!dryRun && fresh.length > 0) {
    const { budgetLeft } = await desk.keyholder.call("status", {});
    if (budgetLeft < fresh.length) throw budgetExceeded(budgetLeft);
    const reading = { purpose: "disclosure", reference, actor } as const;
    for (let start = 0; start < fresh.length; start += BATCH) {
      const batch = fresh.slice(start, start + BATCH);
      const opened = (await readPeople(desk, batch, reading)).filter((person) => person !== null);
      const there = new Set(opened.map(({ id }) => id));
      // Whoever was erased since the list was looked up is in no register any more.
      unknown.push(...batch.filter((id) => !there.has(id)).flatMap((id) => people.get(id) ?? []));
      await recordBatch(desk, { ...declaration, digest, opened });
    }
  }
  const erased = unknown.length - unknownLines.length;
  return {
    people: people.size - erased,
    declared: fresh.length - erased,
    already: standing.size,
    unknown: unknown.length,
    unknownLines: unknown.sort((a, b) => a - b),
    ambiguousLines,
    dryRun,
  };
}

async function findStanding({ pool }: Desk, digest: string, people: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ person_id: string }>(
    `select person_id from disclosure_person join disclosure d on d.id = disclosure_id
     where d.terms = $1 and person_id = any($2::uuid[])`,
    [Buffer.from(digest, "hex"), people],
  );
  return new Set(rows.map((row) => row.person_id));
}

type Batch = Declaration & { readonly digest: string; readonly opened: readonly OpenedPerson[] };

async function recordBatch(desk: Desk, batch: Batch): Promise<void> {
  const at = desk.now();
  const drafts = batch.opened.map((person) => toDraft(batch, person, at));
  if (drafts.length === 0) return;
  await recordEntries(desk, drafts, (client, entries) => insertDeclared(client, { batch, entries, at }));
}

function toDraft({ terms, reason, digest, actor }: Batch, { id, details }: OpenedPerson, at: Date): Draft {
  const { recipient, from, to, categories } = terms;
  const { rank, postSensitivity } = details;
  const time = { from: from.toISOString(), to: to?.toISOString() ?? null };
  return {
    ...{ kind: "disclosure", recipient, reference: `${digest}/${id}`, subject: id, actor, at: at.toISOString() },
    facts: JSON.stringify({ categories, postSensitivity, rank, ...time }),
    detail: JSON.stringify({ reason }),
  };
}

async function insertDeclared(
  client: PoolClient,
  given: { batch: Batch; entries: readonly RecordedEntry[]; at: Date },
): Promise<void> {
  const { batch, entries, at } = given;
  const { terms, reason, actor } = batch;
  const digest = Buffer.from(batch.digest, "hex");
  await client.query(
    `insert into disclosure (id, terms, recipient, from_at, to_at, categories, reason, declared_by, declared_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (terms) do nothing`,
    [randomUUID(), digest, terms.recipient, terms.from, terms.to, terms.categories, reason, actor, at],
  );
  const { rowCount } = await client.query(
    `insert into disclosure_person (disclosure_id, person_id, operation_id)
     select d.id, person, operation from disclosure d, unnest($2::uuid[], $3::bytea[]) as t(person, operation)
     where d.terms = $1 on conflict do nothing`,
    [digest, batch.opened.map(({ id }) => id), entries.map(({ operationId }) => operationId)],
  );
  if (rowCount !== entries.length) {
    throw new Problem(409, "declared-meanwhile", "Somebody else declares the same at this moment; ask again");
  }
}
