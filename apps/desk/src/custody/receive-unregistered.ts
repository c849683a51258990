import type { Actor } from "../access/roles.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { CardMoved } from "./find-cards.ts";

type Unregistered = {
  readonly job: string;
  readonly blank: string;
  readonly recipient: string;
  readonly order: string | null;
};

/**
 * Takes in the plastic of jobs that came back from the log alone, by the blank of their receipt: it counts as unaccounted
 * like any other, until it is here. Answers those taken in, by the place of their scan.
 */
export async function receiveUnregistered(
  desk: Desk,
  actor: Actor,
  unknown: readonly { readonly scan: number; readonly blank: string }[],
): Promise<ReadonlyMap<number, string>> {
  // Backwards, so that the first scan of a blank is the one that counts.
  const blanks = new Map(unknown.toReversed().map(({ scan, blank }) => [blank, scan]));
  if (blanks.size === 0) return new Map();
  // The serials of two contractors' blanks may collide: a piece of plastic accounts for one job.
  const { rows } = await desk.pool.query<Unregistered>(
    `select distinct on (blank) id job, blank, recipient, logged_order "order" from job
     where card_id is null and blank = any($1) and scanned_at is null order by blank, id`,
    [[...blanks.keys()]],
  );
  if (rows.length > 0) await record(desk, actor, rows);
  return new Map(rows.map(({ blank }) => [blanks.get(blank) ?? -1, blank]));
}

async function record(desk: Desk, actor: Actor, found: readonly Unregistered[]): Promise<void> {
  const at = desk.now();
  const drafts = found.map(({ job, recipient, order }) => ({
    ...{ kind: "received", recipient, reference: job, job, actor: actor.id, at: at.toISOString() },
    ...(order === null ? {} : { order }),
  }));
  const jobs = found.map(({ job }) => job);
  await recordEntries(desk, drafts, async (client) => {
    const { rowCount } = await client.query(
      "update job set scanned_at = $2 where id = any($1::uuid[]) and scanned_at is null",
      [jobs, at],
    );
    if (rowCount !== jobs.length) throw new CardMoved();
    await client.query(
      `update recipient_state set unaccounted = unaccounted - arrived.n
       from (select recipient, count(*)::int n from job where id = any($1::uuid[]) group by 1) arrived
       where recipient_state.recipient = arrived.recipient`,
      [jobs],
    );
    await client.query(
      "insert into accounted_queue (job_id, actor, at) select id, $2, $3 from unnest($1::uuid[]) as t(id)",
      [jobs, actor.id, at],
    );
  });
}
