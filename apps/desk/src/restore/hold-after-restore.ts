import { openRestores, type Restore, settleRestores } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import { placeHold } from "../releases/place-hold.ts";
import { findForgotten } from "./find-forgotten.ts";

/**
 * At the start: where the ledger was rebuilt into a database that had lost entries, the desk does not know what it released
 * since. Every recipient is held, and each hold says how many entries and releases the database forgot; two people lift it.
 */
export async function holdAfterRestore(desk: Desk): Promise<void> {
  for (const restore of await openRestores(desk.pool)) await holdAll(desk, restore);
}

async function holdAll(desk: Desk, restore: Restore): Promise<void> {
  const forgotten = await findForgotten(desk, restore);
  const { fromSize, toSize } = restore;
  desk.log.warn({ fromSize, toSize, releases: forgotten.released.length }, "the database was restored; all is held");
  for (const recipient of await recipientsOf(desk)) {
    await placeHold(desk, {
      recipient,
      reason: "restored",
      detail: {
        restore: restore.id,
        fromSize,
        toSize,
        entries: forgotten.entries,
        releases: forgotten.released.length,
      },
      placedBy: null,
    });
  }
  // Last: a desk that is killed in between holds again at its next start, and a hold that stands is not placed twice.
  await settleRestores(desk.pool, [restore.id]);
}

/** Whoever may be released to, or ever was. */
async function recipientsOf(desk: Desk): Promise<string[]> {
  const { rows } = await desk.pool.query<{ recipient: string }>(
    `select recipient from agreement union select recipient from "order" union select recipient from recipient_state`,
  );
  return [...new Set([...Object.keys(desk.recipients), ...rows.map(({ recipient }) => recipient)])].sort();
}
