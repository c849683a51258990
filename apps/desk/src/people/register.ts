import { randomBytes, randomUUID } from "node:crypto";
import { KEYHOLDER_BATCH, type OPENING_PURPOSES } from "@tipstaff/release-protocol";
import { openRecord, sealRecord } from "@tipstaff/sealing";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { DeskError } from "../server/desk-error.ts";
import { Problem } from "../server/problem.ts";
import { type PersonDetails, parsePersonDetails, REGISTER_FIELDS } from "./person-details.ts";
import { withdrawSealedJobs } from "./withdraw-jobs.ts";

export type OpenedPerson = {
  readonly id: string;
  readonly details: PersonDetails;
  /** JPEG, 413 x 531; null where there is none, or where it was not asked for. */
  readonly portrait: Buffer | null;
  /** What a job made of this reading must carry. */
  readonly recordVersion: number;
};

export type Reading = {
  readonly purpose: (typeof OPENING_PURPOSES)[number];
  /** What the reading is for, e.g. an order's id; it stands in the keyholder's journal. */
  readonly reference: string;
  /** A staff id. */
  readonly actor: string;
  readonly portraits?: boolean;
};

type Sealed = {
  readonly id: string;
  readonly dek_version: number;
  readonly record_version: number;
  readonly portrait_version: number;
  readonly details: Buffer;
  readonly portrait: Buffer | null;
};

/**
 * Opens people's details (and portraits, some 60 KB each, where asked) in the order of `personIds`; null for whoever is
 * not in the register or erased. Each opening counts against the keyholder's budget; where that does not suffice for a
 * batch of KEYHOLDER_BATCH it throws Problem `budget-exceeded`. Throws KeyholderError, SealingError.
 */
export async function readPeople(
  desk: Pick<Desk, "pool" | "keyholder">,
  personIds: readonly string[],
  reading: Reading,
): Promise<readonly (OpenedPerson | null)[]> {
  const people: (OpenedPerson | null)[] = [];
  for (let start = 0; start < personIds.length; start += KEYHOLDER_BATCH) {
    people.push(...(await readBatch(desk, personIds.slice(start, start + KEYHOLDER_BATCH), reading)));
  }
  return people;
}

/** A sealed record of nobody, to be opened where there is none. */
const NOBODY: Sealed & { dek: Buffer } = (() => {
  const [dek, id] = [randomBytes(32), randomUUID()];
  const words = Object.fromEntries(REGISTER_FIELDS.map((field) => [field, field]));
  const details = parsePersonDetails(
    Buffer.from(JSON.stringify({ ...words, postSensitivity: "ordinary", role: "staff" })),
  );
  const sealed = Buffer.from(sealDetails(dek, { personId: id, recordVersion: 1 }, details));
  return { id, dek, dek_version: 1, record_version: 1, portrait_version: 1, details: sealed, portrait: null };
})();

/**
 * Opens one person's details by the same steps whether there is such a person or not: a query, a journalled question to
 * the keyholder that costs an opening, and a record decrypted. Throws as `readPeople` does.
 */
export async function readOneAlike(
  desk: Pick<Desk, "pool" | "keyholder">,
  id: string,
  { purpose, reference, actor }: Reading,
): Promise<(Omit<OpenedPerson, "portrait"> & { readonly hasPortrait: boolean }) | null> {
  const { rows } = await desk.pool.query<Sealed & { has_portrait: boolean }>(
    `select id, dek_version, record_version, portrait_version, details, null portrait, portrait is not null has_portrait
     from person where id = $1 and details is not null`,
    [id],
  );
  const answer = await desk.keyholder.call("deks/open", { persons: [id], purpose, reference, actor });
  if (!answer.ok) throw budgetExceeded(1, answer.left);
  const [row, dek] = [rows[0], answer.deks[0]];
  const isKnown = row !== undefined && typeof dek === "string";
  const opened = isKnown ? openPerson(row, Buffer.from(dek, "base64url")) : openPerson(NOBODY, NOBODY.dek);
  return isKnown ? { ...opened, hasPortrait: row.has_portrait } : null;
}

async function readBatch(
  desk: Pick<Desk, "pool" | "keyholder">,
  ids: readonly string[],
  reading: Reading,
): Promise<(OpenedPerson | null)[]> {
  const { rows } = await desk.pool.query<Sealed>(
    `select id, dek_version, record_version, portrait_version, details, ${reading.portraits ? "portrait" : "null"} portrait
     from person where id = any($1::uuid[]) and details is not null`,
    [ids],
  );
  if (rows.length === 0) return ids.map(() => null);
  const { purpose, reference, actor } = reading;
  const persons = rows.map((row) => row.id);
  const answer = await desk.keyholder.call("deks/open", { persons, purpose, reference, actor });
  if (!answer.ok) throw budgetExceeded(persons.length, answer.left);
  const opened = new Map<string, OpenedPerson>();
  for (const [at, row] of rows.entries()) {
    const dek = answer.deks[at];
    if (dek !== undefined && dek !== null) opened.set(row.id, openPerson(row, Buffer.from(dek, "base64url")));
  }
  return ids.map((id) => opened.get(id) ?? null);
}

function budgetExceeded(wanted: number, left: number): Problem {
  const detail = `${wanted} records are wanted, ${left} may still be opened today; the budget is raised at the keyholder's console`;
  return new Problem(409, "budget-exceeded", "The keyholder's budget of openings does not suffice", { detail });
}

function openPerson(row: Sealed, dek: Buffer): OpenedPerson {
  const place = { personId: row.id, dekVersion: row.dek_version };
  const details = openRecord(dek, { ...place, field: "details", recordVersion: row.record_version }, row.details);
  const portrait =
    row.portrait === null
      ? null
      : openRecord(dek, { ...place, field: "portrait", recordVersion: row.portrait_version }, row.portrait);
  return {
    id: row.id,
    details: parsePersonDetails(details),
    portrait: portrait === null ? null : Buffer.from(portrait),
    recordVersion: row.record_version,
  };
}

/** A person's details as they are stored under a record version. */
export function sealDetails(
  dek: Buffer,
  place: { personId: string; recordVersion: number },
  details: PersonDetails,
): Uint8Array {
  const plaintext = Buffer.from(JSON.stringify(details), "utf8");
  return sealRecord(dek, { ...place, field: "details", dekVersion: 1 }, plaintext);
}

export function sealPortrait(
  dek: Buffer,
  place: { personId: string; recordVersion: number },
  jpeg: Buffer,
): Uint8Array {
  return sealRecord(dek, { ...place, field: "portrait", dekVersion: 1 }, jpeg);
}

/**
 * Erases a person: the entry `erased` and the emptied row in one transaction, then the root at the keyholder. Cut off
 * in between, `settleErasures` finishes it. `unknown-person` for whoever is not in the register; erasing twice is one
 * erasure.
 */
export async function erasePerson(
  desk: Pick<Desk, "pool" | "keyholder" | "sequencer" | "now">,
  personId: string,
  actor: string,
): Promise<{ ok: true } | { ok: false; reason: "unknown-person" }> {
  const { rows } = await desk.pool.query<{ presence: string }>("select presence from person where id = $1", [personId]);
  const presence = rows[0]?.presence;
  if (presence === undefined) return { ok: false, reason: "unknown-person" };
  if (presence !== "erased") {
    const at = desk.now().toISOString();
    const draft = { kind: "erased", reference: `erased/${personId}`, subject: personId, actor, at };
    await recordEntries(desk, [draft], async (client) => {
      const { rowCount } = await client.query(
        `update person set presence = 'erased', details = null, portrait = null, fingerprint = null,
           portrait_fingerprint = null, warrant_index = null, pay_index = null, record_version = record_version + 1
         where id = $1`,
        [personId],
      );
      if (rowCount !== 1) throw new DeskError("broken-invariant", "A person vanished while being erased");
      await withdrawSealedJobs(client, [personId]);
    });
  }
  await eraseRoot(desk, personId, actor);
  return { ok: true };
}

async function eraseRoot(desk: Pick<Desk, "pool" | "keyholder" | "now">, person: string, actor: string): Promise<void> {
  await desk.keyholder.call("roots/erase", { person, actor, at: desk.now().toISOString() });
  await desk.pool.query("update person set root_erased_at = $2 where id = $1 and root_erased_at is null", [
    person,
    desk.now(),
  ]);
}

/** Finishes erasures that a crash cut off: the root of everybody erased here goes at the keyholder too. */
export async function settleErasures(desk: Pick<Desk, "pool" | "keyholder" | "now">): Promise<void> {
  const { rows } = await desk.pool.query<{ id: string }>(
    "select id from person where presence = 'erased' and root_erased_at is null",
  );
  // The person who asked stands in the entry; here the desk itself finishes what was decided.
  for (const { id } of rows) await eraseRoot(desk, id, "00000000-0000-0000-0000-000000000000");
}
