import type { Restore } from "@tipstaff/ledger/postgres";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { inTransaction } from "../entries/record-entries.ts";

/** People in one question, and how many numbers beyond each one's count it asks for: at first, and at most. */
const PEOPLE = 1024;
const FIRST_LOOK = 8;
const LONGEST_LOOK = 64;

export type MendedCounts = {
  /** People whose count was behind the log. */
  readonly raised: number;
  /** People in the register whose keys the keyholder has no more, most likely because they were erased since. */
  readonly withoutKeys: readonly string[];
};

/**
 * Raises each person's count of entries to the last number that the log has, so that the next entry repeats none. The
 * keyholder says which tags the numbers would have, those of the entries that came back say which there are. Nothing is
 * lowered, and doing it again changes nothing.
 */
export async function mendCounts(
  desk: Pick<Desk, "pool" | "keyholder">,
  restore: Pick<Restore, "id" | "fromSize" | "toSize">,
): Promise<MendedCounts> {
  return inTransaction(desk.pool, async (client) => {
    await collectTags(client, restore);
    const withoutKeys: string[] = [];
    let raised = 0;
    for (let people = await readPeople(client); people.length > 0; people = await readPeople(client, people)) {
      const found = await findLast(desk, { client, reason: `restore ${restore.id}`, people });
      withoutKeys.push(...found.withoutKeys);
      raised += await raise(client, found.counts);
    }
    return { raised, withoutKeys };
  });
}

/** The tags of the entries that came back, for the length of the transaction (ledger entry.md, section 4). */
async function collectTags(
  client: PoolClient,
  { fromSize, toSize }: Pick<Restore, "fromSize" | "toSize">,
): Promise<void> {
  await client.query("create temporary table restored_tag (tag bytea primary key) on commit drop");
  await client.query(
    `insert into restored_tag select substring(leaf from 34 for 32)
     from ledger.entry join ledger.intake using (seq) where idx >= $1 and idx < $2 on conflict do nothing`,
    [fromSize, toSize],
  );
  await client.query("analyze restored_tag");
}

type Counted = { readonly person: string; readonly n: number };

async function readPeople(client: PoolClient, after: readonly Counted[] = []): Promise<Counted[]> {
  const { rows } = await client.query<{ id: string; tag_n: string }>(
    `select id, tag_n from person where presence <> 'erased' and ($1::uuid is null or id > $1) order by id limit $2`,
    [after.at(-1)?.person ?? null, PEOPLE],
  );
  return rows.map(({ id, tag_n }) => ({ person: id, n: Number(tag_n) }));
}

type Search = { readonly client: PoolClient; readonly reason: string; readonly people: readonly Counted[] };

/** For each person the last number whose tag is there: looks on, and further, for as long as there was one. */
async function findLast({ keyholder }: Pick<Desk, "keyholder">, { client, reason, people }: Search) {
  const counts: Counted[] = [];
  const withoutKeys: string[] = [];
  let going = people;
  for (let look = FIRST_LOOK; going.length > 0; look = Math.min(2 * look, LONGEST_LOOK)) {
    const asked = going.map(({ person, n }) => ({ person, from: n + 1, to: n + look }));
    const { tags } = await keyholder.call("tags/compute", { reason, people: asked });
    const there = await findTags(client, tags);
    const next: Counted[] = [];
    for (const [at, { person, n }] of going.entries()) {
      const own = tags[at];
      if (!own) withoutKeys.push(person);
      const last = own?.findLastIndex((tag) => there.has(tag)) ?? -1;
      if (last >= 0) next.push({ person, n: n + last + 1 });
    }
    counts.push(...next);
    going = next;
  }
  return { counts, withoutKeys };
}

async function findTags(client: PoolClient, tags: readonly (readonly string[] | null)[]): Promise<Set<string>> {
  const asked = tags.flatMap((own) => own ?? []).map((tag) => Buffer.from(tag, "base64url"));
  const { rows } = await client.query<{ tag: Buffer }>("select tag from restored_tag where tag = any($1::bytea[])", [
    asked,
  ]);
  return new Set(rows.map(({ tag }) => tag.toString("base64url")));
}

/** Where a person stands twice, the larger number counts. Answers how many were behind. */
async function raise(client: PoolClient, counts: readonly Counted[]): Promise<number> {
  const { rowCount } = await client.query(
    `update person set tag_n = found.n
     from (select id, max(n) as n from unnest($1::uuid[], $2::bigint[]) as t(id, n) group by id) as found
     where person.id = found.id and person.tag_n < found.n`,
    [counts.map(({ person }) => person), counts.map(({ n }) => n)],
  );
  return rowCount ?? 0;
}
