import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import type { Draft } from "../entries/number-drafts.ts";
import { recordEntries } from "../entries/record-entries.ts";
import type { Tripwire } from "./decide-release.ts";
import { isKeyholderAway } from "./keyholder-away.ts";

export type HoldToPlace = {
  readonly recipient: string;
  readonly reason: Tripwire | "by-hand" | "restored";
  /** No person's data. `job` where it is about one. */
  readonly detail: Readonly<Record<string, string | number>>;
  /** Null when a tripwire did it. */
  readonly placedBy: string | null;
  /** Holds that do not count as standing: what comes next lifts them. */
  readonly besides?: readonly string[];
};

/**
 * Stops all releases to a recipient. The keyholder is told first; a keyholder that cannot be reached gives no key away
 * either, so the hold is recorded all the same and the keyholder told later. A hold that stands for the same reason and
 * job is not placed twice.
 */
export async function placeHold(desk: Desk, hold: HoldToPlace): Promise<{ hold: string; placed: boolean }> {
  const standing = await findStanding(desk, hold);
  if (standing !== undefined) return { hold: standing, placed: false };
  const id = randomUUID();
  desk.log.warn({ recipient: hold.recipient, reason: hold.reason, hold: id }, "releases are held");
  try {
    await desk.keyholder.call("holds/place", { recipient: hold.recipient, hold: id, reason: hold.reason });
    const at = desk.now();
    await recordEntries(desk, [toDraft({ ...hold, id, at })], async (client) => {
      await insertHold(client, { ...hold, id, at, toldAt: at });
    });
  } catch (error) {
    if (!isKeyholderAway(error)) throw error;
    await insertHold(desk.pool, { ...hold, id, at: desk.now(), toldAt: null });
  }
  return { hold: id, placed: true };
}

async function insertHold(client: Pool | PoolClient, placing: Placing & { toldAt: Date | null }): Promise<void> {
  const { rowCount } = await client.query(INSERT, values(placing));
  if (rowCount === 1) return;
  // Another call placed the same hold meanwhile, or one stands that is about to be lifted. The keyholder knows both, so
  // both must be there to be lifted: what makes this one distinct is its own id in the place of a job's.
  await client.query(INSERT, values({ ...placing, detail: { ...placing.detail, job: placing.id } }));
}

const INSERT = `insert into hold (id, recipient, reason, detail, placed_by, placed_at, told_at)
  values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;

type Placing = HoldToPlace & { readonly id: string; readonly at: Date };

function values({ id, recipient, reason, detail, placedBy, at, toldAt }: Placing & { toldAt: Date | null }) {
  return [id, recipient, reason, JSON.stringify(detail), placedBy, at, toldAt];
}

function toDraft({ id, recipient, reason, detail, placedBy, at }: Placing): Draft {
  return {
    kind: "hold-placed",
    recipient,
    reference: id,
    at: at.toISOString(),
    ...(placedBy === null ? {} : { actor: placedBy }),
    detail: JSON.stringify({ hold: id, reason, ...detail }),
  };
}

async function findStanding(desk: Desk, hold: HoldToPlace): Promise<string | undefined> {
  const { recipient, reason, detail, besides = [] } = hold;
  const { rows } = await desk.pool.query<{ id: string }>(
    `select id from hold where recipient = $1 and reason = $2 and lifted_at is null and id <> all($4::uuid[])
       and (coalesce(detail->>'job', '') = $3 or ($3 = '' and detail->>'job' = id::text))`,
    [recipient, reason, String(detail.job ?? ""), besides],
  );
  return rows[0]?.id;
}

type UntoldRow = {
  id: string;
  recipient: string;
  reason: HoldToPlace["reason"];
  detail: HoldToPlace["detail"];
  placed_by: string | null;
  placed_at: Date;
};

/** Tells the keyholder alone of holds that it may not know: before it decides anything. */
export async function tellKeyholder(desk: Desk): Promise<void> {
  const { rows } = await desk.pool.query<Pick<UntoldRow, "id" | "recipient" | "reason">>({
    name: "holds-untold",
    text: "select id, recipient, reason from hold where told_at is null and lifted_at is null",
  });
  for (const { id, recipient, reason } of rows) {
    await desk.keyholder.call("holds/place", { recipient, hold: id, reason });
  }
}

/** Tells the keyholder and the ledger of holds that were placed while the keyholder could not be reached. */
export async function tellHolds(desk: Desk): Promise<void> {
  const { rows } = await desk.pool.query<UntoldRow>(
    "select id, recipient, reason, detail, placed_by, placed_at from hold where told_at is null and lifted_at is null",
  );
  for (const { id, recipient, reason, detail, placed_by: placedBy, placed_at: at } of rows) {
    await desk.keyholder.call("holds/place", { recipient, hold: id, reason });
    await recordEntries(desk, [toDraft({ id, recipient, reason, detail, placedBy, at })], async (client) => {
      await client.query("update hold set told_at = $2 where id = $1", [id, desk.now()]);
    });
  }
}
