import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { oneTrip } from "../entries/one-trip.ts";
import { inTransaction } from "../entries/record-entries.ts";
import type { StoredOutcome } from "./stored-outcome.ts";
import type { Undecided } from "./undecided.ts";

export type Decided = { readonly release: Undecided; readonly outcome: StoredOutcome };

/** Stores what the keyholder decided. An outcome that stands already is left alone, with all that followed from it. */
export async function storeOutcomes(desk: Desk, decided: readonly Decided[]): Promise<void> {
  if (decided.length === 0) return;
  const now = desk.now();
  const work = async (client: PoolClient): Promise<void> => {
    const [, settled] = await oneTrip(client, [
      () => lockJobs(client, decided),
      () => writeReleases(client, { decided, now }),
    ]);
    const cancelled = decided.filter(({ release, outcome }) => settled.has(release.identity) && !isReleased(outcome));
    if (cancelled.length > 0) await markCancelled(client, { cancelled, now });
  };
  // The keyholder keeps the outcome too, and is asked for it after a crash: no need to wait for the disk.
  await inTransaction(desk.pool, work, { unhurried: true });
}

const isReleased = ({ outcome }: StoredOutcome): boolean => outcome === "released";
const jobsOf = (decided: readonly Decided[]): string[] => decided.map(({ release }) => release.job).sort();

async function lockJobs(client: PoolClient, decided: readonly Decided[]): Promise<void> {
  await client.query({
    name: "outcome-jobs",
    text: "select from job where id = any($1::uuid[]) order by id for no key update",
    values: [jobsOf(decided)],
  });
}

/** Jobs become `released` through `logged`, which the keyholder has just seen proved. */
async function writeReleases(
  client: PoolClient,
  { decided, now }: { decided: readonly Decided[]; now: Date },
): Promise<Set<string>> {
  const { rows } = await client.query<{ identity: Buffer }>({
    name: "outcome-releases",
    text: `with settled as (
       update release set state = outcome.outcome->>'outcome', outcome = outcome.outcome, decided_at = $1
       from unnest($2::bytea[], $3::jsonb[]) as outcome(identity, outcome)
       where release.identity = outcome.identity and release.state in ('reserved', 'logged')
       returning release.identity, release.job_id, release.state
     ), released as (
       update job set state = 'released', released_at = $1 from settled
       where job.id = settled.job_id and settled.state = 'released' and job.state in ('reserved', 'logged')
     )
     select identity from settled`,
    values: [
      now,
      decided.map(({ release }) => Buffer.from(release.identity, "hex")),
      decided.map(({ outcome }) => JSON.stringify(outcome)),
    ],
  });
  return new Set(rows.map(({ identity }) => identity.toString("hex")));
}

/**
 * A signed cancellation: nothing left. A first attempt ends the job, frees its slot, and the approval goes into the next
 * order; a further attempt leaves the job as it was after the one before.
 */
async function markCancelled(
  client: PoolClient,
  { cancelled, now }: { cancelled: readonly Decided[]; now: Date },
): Promise<void> {
  const further = cancelled.filter(({ release }) => release.attempt > 1);
  await client.query(
    "update job set state = 'released' where id = any($1::uuid[]) and state in ('reserved', 'logged')",
    [jobsOf(further)],
  );
  const first = cancelled.filter(({ release }) => release.attempt === 1);
  if (first.length === 0) return;
  const { rows } = await client.query<{ card_id: string; recipient: string; line: string | null }>(
    `update job set state = 'cancelled', wrapped = null where id = any($1::uuid[]) and state in ('reserved', 'logged')
     returning card_id, recipient, line`,
    [jobsOf(first)],
  );
  await freeSlots(client, rows);
  await voidCards(client, { cards: rows.map((row) => row.card_id), now, what: "release cancelled" });
}

async function freeSlots(
  client: PoolClient,
  jobs: readonly { readonly recipient: string; readonly line: string | null }[],
): Promise<void> {
  const recipients = jobs.map(({ recipient }) => recipient);
  // Before the lines: the writer of releases locks in this order.
  await client.query(
    `update recipient_state set unaccounted = unaccounted - freed.n
     from (select recipient, count(*)::int n from unnest($1::text[]) as t(recipient) group by 1) freed
     where recipient_state.recipient = freed.recipient`,
    [recipients],
  );
  await freeLines(client, jobs);
}

/** One job less without a receipt on each of these lines. */
export async function freeLines(
  client: PoolClient,
  jobs: readonly { readonly recipient: string; readonly line: string | null }[],
): Promise<void> {
  const recipients = jobs.map(({ recipient }) => recipient);
  const lines = jobs.map(({ line }) => line);
  await oneTrip(client, [
    () =>
      client.query({
        name: "lines-lock",
        text: `select from line where (recipient, line) in (select * from unnest($1::text[], $2::text[]))
       order by recipient, line for no key update`,
        values: [recipients, lines],
      }),
    () =>
      client.query({
        name: "lines-free",
        text: `update line set open = greatest(0, open - freed.n)
       from (select recipient, line, count(*)::int n from unnest($1::text[], $2::text[]) as t(recipient, line) group by 1, 2)
         as freed
       where line.recipient = freed.recipient and line.line = freed.line`,
        values: [recipients, lines],
      }),
  ]);
}

/** Cards that will never be: void, and their requests stand approved again for a new card in the next order. */
export async function voidCards(
  client: PoolClient,
  { cards, now, what }: { cards: readonly string[]; now: Date; what: string },
): Promise<void> {
  if (cards.length === 0) return;
  await client.query(
    `with voided as (
       update card set validity = 'void' where id = any($1::uuid[]) and validity = 'inactive'
       returning id, request_id, custody
     ), told as (
       insert into card_event (card_id, at, actor, what, validity, custody)
       select id, $2, $3, $4, 'void', custody from voided
     )
     update request set state = 'approved' from voided
     where request.id = voided.request_id and request.state = 'ordered' and not exists (
       select from request other where other.person_id = request.person_id and other.kind = request.kind
         and other.state in ('requested', 'approved'))`,
    [cards, now, NOBODY, what],
  );
}

/** Stands where no member of staff acted: the recipient's word, or the keyholder's. */
const NOBODY = "00000000-0000-0000-0000-000000000000";
