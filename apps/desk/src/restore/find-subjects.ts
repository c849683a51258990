import { KEYHOLDER_TAGS } from "@tipstaff/release-protocol";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";

const PEOPLE = 1024;
/** So many of each person's last entries are looked at. */
const LAST = KEYHOLDER_TAGS / PEOPLE;

/**
 * Whom entries are about, by operation id in hex, as far as they are among the last of somebody in the register: the
 * entry's tag is one of that person's, by the keyholder. `mendCounts` has raised the counts before.
 */
export async function findSubjects(
  { keyholder }: Pick<Desk, "keyholder">,
  client: PoolClient,
  { operations, reason }: { readonly operations: readonly Buffer[]; readonly reason: string },
): Promise<ReadonlyMap<string, string>> {
  const operationByTag = await readTags(client, operations);
  const subjects = new Map<string, string>();
  let people = await readPeople(client, "");
  while (people.length > 0 && subjects.size < operations.length) {
    const asked = people.map(({ id, count }) => ({ person: id, from: Math.max(1, count - LAST + 1), to: count }));
    const { tags } = await keyholder.call("tags/compute", { reason, people: asked });
    for (const [at, { id }] of people.entries()) {
      for (const tag of tags[at] ?? []) {
        const operation = operationByTag.get(tag);
        if (operation !== undefined) subjects.set(operation, id);
      }
    }
    people = await readPeople(client, people.at(-1)?.id ?? "");
  }
  return subjects;
}

async function readTags(client: PoolClient, operations: readonly Buffer[]): Promise<Map<string, string>> {
  const { rows } = await client.query<{ operation: string; tag: Buffer }>(
    `select encode(operation_id, 'hex') operation, substring(leaf from 34 for 32) tag
     from ledger.intake where operation_id = any($1::bytea[])`,
    [operations],
  );
  return new Map(rows.map(({ operation, tag }) => [tag.toString("base64url"), operation]));
}

async function readPeople(client: PoolClient, after: string): Promise<{ id: string; count: number }[]> {
  const { rows } = await client.query<{ id: string; count: string }>(
    `select id, tag_n count from person where presence <> 'erased' and tag_n > 0 and ($1 = '' or id > nullif($1, '')::uuid)
     order by id limit $2`,
    [after, PEOPLE],
  );
  return rows.map(({ id, count }) => ({ id, count: Number(count) }));
}
