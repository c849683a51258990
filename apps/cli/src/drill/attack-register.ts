import { createHash, createHmac } from "node:crypto";
import { blindIndex, deriveIndexKey, INDEXED_FIELDS, openRecord } from "@tipstaff/sealing";
import type { Pool } from "pg";
import copyStreams from "pg-copy-streams";
import { z } from "zod";
import type { KnownPeople } from "./known-people.ts";
import type { Secrets } from "./secret-set.ts";

const SAMPLED_PEOPLE = 200;
const TRIED_KEYS = 64;
const INDEX_BYTES = 16;

const personSchema = z.object({
  id: z.string(),
  dek_version: z.int(),
  record_version: z.int(),
  details: z.instanceof(Uint8Array),
});

/**
 * Frequency and dictionary attack on the stolen register. Answers whom an index gives away, given every number of the
 * force as a dictionary and every secret found beside the database as a key.
 */
export async function attackIndexes(pool: Pool, known: KnownPeople, secrets: Secrets): Promise<Set<number>> {
  const { stored, isRepeated } = await readIndexes(pool);
  const found = new Set<number>();
  const tries = [plainDigest, ...secrets.first(TRIED_KEYS).flatMap(indexesUnder)];
  let tried = 0;
  for await (const { person, number } of known.dictionary()) {
    const isSampled = ++tried <= SAMPLED_PEOPLE * 2;
    if (!isSampled && !isRepeated) break;
    // Who shares an index can be counted, and so told from others.
    if (isRepeated || tries.some((indexOf) => stored.has(short(indexOf(number))))) found.add(person);
  }
  return found;
}

/** Every blind index of the register, and whether any occurs twice; read as a stream, since a force has many. */
async function readIndexes(pool: Pool): Promise<{ stored: Set<string>; isRepeated: boolean }> {
  const columns = INDEXED_FIELDS.map((field) => {
    return `select encode(${field}_index, 'hex') from person where ${field}_index is not null`;
  });
  const stored = new Set<string>();
  let count = 0;
  const client = await pool.connect();
  try {
    const dump = client.query(copyStreams.to(`copy (${columns.join(" union all ")}) to stdout`));
    let rest = "";
    for await (const chunk of dump) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) stored.add(line);
      count += lines.length;
    }
  } finally {
    client.release();
  }
  return { stored, isRepeated: stored.size < count };
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
export async function openRecords(pool: Pool, secrets: Secrets): Promise<number> {
  const { rows } = await pool.query(
    "select id, dek_version, record_version, details from person where details is not null limit $1",
    [SAMPLED_PEOPLE],
  );
  const keys = secrets.first(TRIED_KEYS);
  return z
    .array(personSchema)
    .parse(rows)
    .filter((person) =>
      keys.some((secret) => {
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
