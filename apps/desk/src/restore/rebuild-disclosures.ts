import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { digestTerms } from "../disclosures/disclosure-rules.ts";
import type { DisclosureEvent } from "./disclosure-events.ts";
import { findSubjects } from "./find-subjects.ts";

/**
 * Puts declared disclosures back for everybody of the register whom their entries are about, so that exposures show them
 * and the same list declares nothing twice. Answers how many of them the database has now.
 */
export async function rebuildDisclosures(
  desk: Pick<Desk, "keyholder">,
  client: PoolClient,
  { disclosures, reason }: { readonly disclosures: readonly DisclosureEvent[]; readonly reason: string },
): Promise<number> {
  if (disclosures.length === 0) return 0;
  const operations = disclosures.map(({ operation }) => Buffer.from(operation, "hex"));
  const subjects = await findSubjects(desk, client, { operations, reason });
  for (const [digest, same] of Map.groupBy(disclosures, ({ terms }) => digestTerms(terms))) {
    await insertDisclosure(client, { digest: Buffer.from(digest, "hex"), same, subjects });
  }
  const { rows } = await client.query<{ n: number }>(
    "select count(distinct operation_id)::int n from disclosure_person where operation_id = any($1::bytea[])",
    [operations],
  );
  return rows[0]?.n ?? 0;
}

type SameTerms = {
  readonly digest: Buffer;
  readonly same: readonly DisclosureEvent[];
  readonly subjects: ReadonlyMap<string, string>;
};

async function insertDisclosure(client: PoolClient, { digest, same, subjects }: SameTerms): Promise<void> {
  const [first] = same;
  const known = same.flatMap(({ operation }) => {
    const person = subjects.get(operation);
    return person === undefined ? [] : [{ person, operation: Buffer.from(operation, "hex") }];
  });
  if (first === undefined || known.length === 0) return;
  const { terms, reason, at } = first;
  await client.query(
    `insert into disclosure (id, terms, recipient, from_at, to_at, categories, reason, declared_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (terms) do nothing`,
    [randomUUID(), digest, terms.recipient, terms.from, terms.to, terms.categories, reason, at],
  );
  await client.query(
    `insert into disclosure_person (disclosure_id, person_id, operation_id)
     select d.id, person, operation from disclosure d, unnest($2::uuid[], $3::bytea[]) as t(person, operation)
     where d.terms = $1 on conflict do nothing`,
    [digest, known.map(({ person }) => person), known.map(({ operation }) => operation)],
  );
}
