import type { PoolClient } from "pg";

/** A person's row as an import writes it; everything in it is sealed, keyed or random. */
export type WrittenPerson = {
  readonly id: string;
  /** 1 for a person who is added. */
  readonly recordVersion: number;
  readonly payIndex: Buffer;
  readonly warrantIndex: Buffer | null;
  readonly fingerprint: Buffer;
  readonly details: Uint8Array;
  /** null leaves a stored portrait as it is. */
  readonly portrait: { readonly sealed: Uint8Array; readonly fingerprint: Buffer } | null;
};

// Byte strings go to the database as one parameter each, cut up there by offset: an array of them would travel as
// hexadecimal text, twice as long and slow to read.
const COLUMNS = `
  with p as (
    select id, version, has_warrant, details_from, details_length, portrait_from, portrait_length, (at - 1)::int * 16 + 1 as index_from
    from unnest($1::uuid[], $2::int[], $3::bool[], $4::int[], $5::int[], $6::int[], $7::int[]) with ordinality
      as t(id, version, has_warrant, details_from, details_length, portrait_from, portrait_length, at)
  ), written as (
    select id, version,
      substring($8::bytea from index_from for 16) as pay_index,
      case when has_warrant then substring($9::bytea from index_from for 16) end as warrant_index,
      substring($10::bytea from index_from for 16) as fingerprint,
      substring($11::bytea from details_from for details_length) as details,
      case when portrait_length > 0 then substring($12::bytea from portrait_from for portrait_length) end as portrait,
      case when portrait_length > 0 then substring($13::bytea from index_from for 16) end as portrait_fingerprint
    from p
  )`;

const NO_INDEX = Buffer.alloc(16);

function toParameters(people: readonly WrittenPerson[]): unknown[] {
  const places = (parts: readonly Uint8Array[]): number[] => {
    let from = 1;
    return parts.map((part) => {
      from += part.length;
      return from - part.length;
    });
  };
  const details = people.map((person) => person.details);
  const portraits = people.map((person) => person.portrait?.sealed ?? new Uint8Array());
  return [
    people.map((person) => person.id),
    people.map((person) => person.recordVersion),
    people.map((person) => person.warrantIndex !== null),
    places(details),
    details.map((part) => part.length),
    places(portraits),
    portraits.map((part) => part.length),
    Buffer.concat(people.map((person) => person.payIndex)),
    Buffer.concat(people.map((person) => person.warrantIndex ?? NO_INDEX)),
    Buffer.concat(people.map((person) => person.fingerprint)),
    Buffer.concat(details),
    Buffer.concat(portraits),
    Buffer.concat(people.map((person) => person.portrait?.fingerprint ?? NO_INDEX)),
  ];
}

export async function insertPeople(
  client: PoolClient,
  importId: string,
  people: readonly WrittenPerson[],
): Promise<void> {
  if (people.length === 0) return;
  await client.query({
    name: "people-insert",
    text: `${COLUMNS}
      insert into person (id, record_version, pay_index, warrant_index, fingerprint, details, portrait, portrait_version,
        portrait_fingerprint, import_id, seen_import_id)
      select id, version, pay_index, warrant_index, fingerprint, details, portrait,
        case when portrait is null then 0 else version end, portrait_fingerprint, $14::uuid, $14::uuid
      from written`,
    values: [...toParameters(people), importId],
  });
}

/** Writes changed records over those of the version before; how many of them still had that version. */
export async function updatePeople(
  client: PoolClient,
  importId: string,
  people: readonly WrittenPerson[],
): Promise<number> {
  if (people.length === 0) return 0;
  const { rowCount } = await client.query({
    name: "people-update",
    text: `${COLUMNS}
      update person set record_version = version, warrant_index = written.warrant_index,
        fingerprint = written.fingerprint, details = written.details,
        portrait = coalesce(written.portrait, person.portrait),
        portrait_version = case when written.portrait is null then portrait_version else version end,
        portrait_fingerprint = coalesce(written.portrait_fingerprint, person.portrait_fingerprint),
        import_id = $14::uuid
      from written
      where person.id = written.id and person.record_version = version - 1 and person.presence <> 'erased'
        and person.pay_index = written.pay_index`,
    values: [...toParameters(people), importId],
  });
  return rowCount ?? 0;
}

const SEEN_BATCH = 10_000;

/** Notes who stands in the extract, and makes everybody else who was present a possible leaver; how many did that become. */
export async function noteSeen(client: PoolClient, importId: string, seen: ReadonlySet<string>): Promise<number> {
  const ids = [...seen];
  for (let start = 0; start < ids.length; start += SEEN_BATCH) {
    await client.query(
      `update person set seen_import_id = $1, presence = 'present'
       where id = any($2::uuid[]) and presence <> 'erased'`,
      [importId, ids.slice(start, start + SEEN_BATCH)],
    );
  }
  const { rowCount } = await client.query(
    "update person set presence = 'possible-leaver' where presence = 'present' and seen_import_id <> $1",
    [importId],
  );
  return rowCount ?? 0;
}
