import type { Desk } from "../desk.ts";

/**
 * At the start: a hold that the keyholder was told of, and that a killed desk did not record, is recorded, so that two
 * people can lift it.
 */
export async function adoptHolds(desk: Desk): Promise<void> {
  const { holds } = await desk.keyholder.call("status", {});
  // Several may be of one recipient: what makes each of them distinct is its own id in the place of a job's.
  await desk.pool.query(
    `insert into hold (id, recipient, reason, detail, placed_at)
     select told.hold, told.recipient, 'unrecorded', jsonb_build_object('job', told.hold), $3
     from unnest($1::uuid[], $2::text[]) as told(hold, recipient)
     where not exists (select from hold where hold.id = told.hold) on conflict do nothing`,
    [holds.map(({ hold }) => hold), holds.map(({ recipient }) => recipient), desk.now()],
  );
}
