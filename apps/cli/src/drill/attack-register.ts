import { createHash, createHmac } from "node:crypto";
import { blindIndex, deriveIndexKey, INDEXED_FIELDS, openRecord } from "@tipstaff/sealing";
import type { Pool } from "pg";
import { z } from "zod";
import type { KnownPeople } from "./known-people.ts";

const SAMPLED_PEOPLE = 200;
const TRIED_KEYS = 64;
const INDEX_BYTES = 16;

const personSchema = z.object({
  id: z.string(),
  dek_version: z.int(),
  record_version: z.int(),
  details: z.instanceof(Uint8Array),
});
const indexSchema = z.object({ value: z.instanceof(Uint8Array) });

/**
 * Frequency and dictionary attack on the stolen register. Answers whom an index gives away, given every number of the
 * force as a dictionary and every secret found beside the database as a key.
 */
export async function attackIndexes(pool: Pool, known: KnownPeople, secrets: readonly Buffer[]): Promise<Set<number>> {
  const { rows } = await pool.query(
    INDEXED_FIELDS.map((field) => `select ${field}_index as value from person where ${field}_index is not null`).join(
      " union all ",
    ),
  );
  const values = z
    .array(indexSchema)
    .parse(rows)
    .map(({ value }) => Buffer.from(value).toString("hex"));
  const stored = new Set(values);
  const found = new Set<number>();
  if (stored.size < values.length) for (const { person } of known.dictionary) found.add(person);
  const tries = secrets.slice(0, TRIED_KEYS).flatMap(indexesUnder);
  for (const { person, number } of known.dictionary.slice(0, SAMPLED_PEOPLE * 2)) {
    if ([plainDigest, ...tries].some((indexOf) => stored.has(short(indexOf(number))))) found.add(person);
  }
  return found;
}

const short = (digest: Uint8Array) => Buffer.from(digest.subarray(0, INDEX_BYTES)).toString("hex");
const plainDigest = (number: string): Uint8Array => createHash("sha256").update(number).digest();

/** Every way in which a number could be indexed under this secret. */
function indexesUnder(secret: Buffer): ((number: string) => Uint8Array)[] {
  return [
    (number) => createHmac("sha256", secret).update(number).digest(),
    ...INDEXED_FIELDS.flatMap((field) => {
      const derived = deriveIndexKey(secret, field);
      return [secret, derived].map((key) => (number: string) => blindIndex(key, field, number));
    }),
  ];
}

/** How many of the sampled records does any of these secrets open? */
export async function openRecords(pool: Pool, secrets: readonly Buffer[]): Promise<number> {
  const { rows } = await pool.query(
    "select id, dek_version, record_version, details from person where details is not null limit $1",
    [SAMPLED_PEOPLE],
  );
  return z
    .array(personSchema)
    .parse(rows)
    .filter((person) =>
      secrets.slice(0, TRIED_KEYS).some((secret) => {
        const place = { personId: person.id, dekVersion: person.dek_version, recordVersion: person.record_version };
        try {
          openRecord(secret, { ...place, field: "details" }, person.details);
          return true;
        } catch {
          return false;
        }
      }),
    ).length;
}
