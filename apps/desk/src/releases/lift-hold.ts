import { openRestores } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { refuseLiftBeforeRebuild } from "../restore/rebuild-rules.ts";
import { Problem } from "../server/problem.ts";
import { decideLift, type StandingHold } from "./lift-rules.ts";

type HoldRow = {
  id: string;
  recipient: string;
  reason: string;
  job: string | null;
  answered: boolean;
  lift_asked_by: string | null;
  lifted: boolean;
};

/**
 * Two people lift a hold: the first call asks, another person's lifts. `despite` is the reason for lifting a hold whose
 * job was not looked into. Throws Problem where a rule says no.
 */
export async function liftHold(
  desk: Desk,
  lift: { readonly hold: string; readonly actor: string; readonly despite?: string | undefined },
): Promise<{ hold: string; lifted: boolean }> {
  const row = await readHold(desk, lift.hold);
  if (row === undefined) throw new Problem(404, "no-such-hold", "There is no such hold");
  const awaitsRebuild = refuseLiftBeforeRebuild((await openRestores(desk.pool)).map(({ id }) => id));
  const decision = decideLift({ ...toStanding(row), awaitsRebuild }, lift);
  if (!decision.ok) throw new Problem(409, decision.reason, decision.words);
  if (decision.step === "ask") {
    const { rowCount } = await desk.pool.query(
      `update hold set lift_asked_by = $2, lift_asked_at = $3, detail = detail || $4::jsonb
       where id = $1 and lift_asked_by is null and lifted_at is null`,
      [lift.hold, lift.actor, desk.now(), JSON.stringify(lift.despite === undefined ? {} : { despite: lift.despite })],
    );
    // Somebody else asked in between: then this is the second person.
    return rowCount === 1 ? { hold: lift.hold, lifted: false } : liftHold(desk, lift);
  }
  const { recipient, reason } = row;
  // Should it not know the hold yet, whoever is telling it at this moment would hold again what is lifted; a hold that it
  // knows as lifted it does not place again.
  await desk.keyholder.call("holds/place", { recipient, hold: row.id, reason });
  await desk.keyholder.call("holds/lift", { recipient, hold: row.id, people: [decision.first, lift.actor] });
  await recordLift(desk, { row, first: decision.first, ...lift });
  return { hold: lift.hold, lifted: true };
}

async function readHold(desk: Desk, hold: string): Promise<HoldRow | undefined> {
  const { rows } = await desk.pool.query<HoldRow>(
    `select id, recipient, reason, detail->>'job' job, lift_asked_by, lifted_at is not null lifted,
       exists (select from receipt where receipt.job_id::text = hold.detail->>'job') answered
     from hold where id = $1`,
    [hold],
  );
  return rows[0];
}

function toStanding(row: HoldRow): Omit<StandingHold, "awaitsRebuild"> {
  return {
    isOverdueReceipt: row.reason === "receipt-overdue",
    jobHasReceipt: row.answered,
    liftAskedBy: row.lift_asked_by,
    isLifted: row.lifted,
  };
}

async function recordLift(
  desk: Desk,
  lift: { row: HoldRow; first: string; actor: string; despite?: string | undefined },
): Promise<void> {
  const { row, first, actor, despite } = lift;
  const at = desk.now();
  const said = { hold: row.id, reason: row.reason, first, ...(despite === undefined ? {} : { despite }) };
  const draft = {
    kind: "hold-lifted",
    recipient: row.recipient,
    reference: row.id,
    at: at.toISOString(),
    actor,
    detail: JSON.stringify(said),
  };
  await recordEntries(desk, [draft], async (client) => {
    await client.query("update hold set lifted_by = $2, lifted_at = $3 where id = $1 and lifted_at is null", [
      row.id,
      actor,
      at,
    ]);
  });
}
