import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import { INDEXED_FIELDS } from "@tipstaff/sealing";
import type { Desk } from "../desk.ts";
import { Problem } from "../server/problem.ts";
import type { ListedNumber } from "./disclosure-rules.ts";

/** Who a list of numbers names. Lines are told, numbers never. */
export type Listed = {
  /** Person → the first line that names them. */
  readonly people: ReadonlyMap<string, number>;
  /** Lines whose number nobody in the register has. */
  readonly unknownLines: readonly number[];
  /** Lines whose number is one person's pay number and another's warrant number. */
  readonly ambiguousLines: readonly number[];
};

export type Listing = {
  readonly list: readonly ListedNumber[];
  /** What the list is for; it stands in the keyholder's journal. */
  readonly reference: string;
  /** A staff id. */
  readonly actor: string;
};

/** Finds people by warrant or pay number, through their blind indexes. Throws Problem `budget-exceeded`, KeyholderError. */
export async function findListed(
  desk: Pick<Desk, "pool" | "keyholder">,
  { list, ...asking }: Listing,
): Promise<Listed> {
  const people = new Map<string, number>();
  const unknownLines: number[] = [];
  const ambiguousLines: number[] = [];
  for (let start = 0; start < list.length; start += KEYHOLDER_BATCH) {
    const batch = list.slice(start, start + KEYHOLDER_BATCH);
    const found = await findBatch(desk, { ...asking, list: batch });
    for (const [at, { line }] of batch.entries()) {
      const [person, ...others] = found.get(at) ?? [];
      if (person === undefined) unknownLines.push(line);
      else if (others.length > 0) ambiguousLines.push(line);
      else if (!people.has(person)) people.set(person, line);
    }
  }
  return { people, unknownLines, ambiguousLines };
}

async function findBatch(
  { pool, keyholder }: Pick<Desk, "pool" | "keyholder">,
  { list, reference, actor }: Listing,
): Promise<Map<number, string[]>> {
  const numbers = INDEXED_FIELDS.flatMap((field) => list.map(({ number }) => ({ field, value: number })));
  const answer = await keyholder.call("indexes/compute", { purpose: "list", reference, actor, numbers, rows: [] });
  if (!answer.ok) throw listTooLong(answer.left);
  const indexes = answer.numbers.map((index) => Buffer.from(index, "base64url"));
  const { rows } = await pool.query<{ place: number; id: string }>(
    `select place::int, id from unnest($1::bytea[]) with ordinality as asked(index, place) join person on pay_index = index
     union
     select place::int, id from unnest($2::bytea[]) with ordinality as asked(index, place) join person on warrant_index = index`,
    INDEXED_FIELDS.map((_, at) => indexes.slice(at * list.length, (at + 1) * list.length)),
  );
  const found = new Map<number, string[]>();
  for (const { place, id } of rows) found.set(place - 1, [...(found.get(place - 1) ?? []), id]);
  return found;
}

function listTooLong(left: number): Problem {
  const detail = `${left} are left today; ask for fewer, or tomorrow, or start it with a larger --index-budget`;
  return new Problem(409, "budget-exceeded", "The keyholder's daily budget of indexes does not suffice", { detail });
}
