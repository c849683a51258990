import { setTimeout as sleep } from "node:timers/promises";
import type { TestDesk } from "../database/test-desk.ts";

/** What the database counts about a recipient, and what there is to be counted. */
export async function readCounters(test: TestDesk, recipient: string) {
  const { rows } = await test.desk.pool.query<{
    unaccounted: number;
    out: string;
    entries: string;
    released: string;
    cancelled: string;
  }>(
    `select coalesce((select unaccounted from recipient_state where recipient = $1), 0) unaccounted,
       (select count(*) from job where recipient = $1 and attempt > 0 and state <> 'cancelled' and scanned_at is null) out,
       (select count(*) from release join ledger.intake using (operation_id) where recipient = $1) entries,
       (select count(*) from release where recipient = $1 and state = 'released') released,
       (select count(*) from release where recipient = $1 and state = 'cancelled') cancelled`,
    [recipient],
  );
  const lines = await test.desk.pool.query<{ open: number; waiting: string }>(
    `select open, (select count(*) from job where job.recipient = line.recipient and job.line = line.line
       and state in ('reserved', 'logged', 'released')) waiting from line where recipient = $1`,
    [recipient],
  );
  const [row] = rows;
  return {
    unaccounted: row?.unaccounted ?? 0,
    out: Number(row?.out),
    entries: Number(row?.entries),
    released: Number(row?.released),
    cancelled: Number(row?.cancelled),
    lines: lines.rows.map(({ open, waiting }) => ({ open, waiting: Number(waiting) })),
  };
}

/** Until `isTrue`, or for so many milliseconds; answers whether it came true. */
export async function eventually(isTrue: () => Promise<boolean>, withinMs = 5000): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (await isTrue()) return true;
    await sleep(50);
  }
  return isTrue();
}
