import { openRestores, type Restore, settleRestores } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import { placeHold } from "../releases/place-hold.ts";
import { findForgotten } from "./find-forgotten.ts";
import { mendCounts } from "./mend-counts.ts";
import { type RestoreReport, reportName, writeReport } from "./restore-report.ts";

/**
 * At the start, before anything else is put right: where the ledger was rebuilt into a database that had lost entries, the
 * desk does not know what it released since. The people's counts are raised to the log's; every recipient is held, and
 * each hold says how much the database forgot and which report lists it; two people lift it.
 */
export async function holdAfterRestore(desk: Desk): Promise<void> {
  for (const restore of await openRestores(desk.pool)) await holdAll(desk, restore);
}

async function holdAll(desk: Desk, restore: Restore): Promise<void> {
  // First: a hold is an entry too, and nobody's next entry may repeat a number.
  const counts = await mendCounts(desk, restore);
  const report: RestoreReport = { ...restore, ...(await findForgotten(desk, restore)), counts };
  const detail = detailOf(report);
  desk.log.warn(detail, "the database was restored; all is held");
  for (const recipient of await recipientsOf(desk)) {
    await placeHold(desk, { recipient, reason: "restored", detail, placedBy: null });
  }
  await writeReport(desk, report);
  // Last: a desk that is killed in between holds again at its next start, and a hold that stands is not placed twice.
  await settleRestores(desk.pool, [restore.id]);
}

function detailOf({ id, fromSize, toSize, entries, released, undecided, unopened, counts }: RestoreReport) {
  return {
    ...{ restore: id, fromSize, toSize, entries },
    releases: released.length + unopened.filter((entry) => entry.released).length,
    undecided: undecided.length,
    unopened: unopened.length,
    countsRaised: counts.raised,
    withoutKeys: counts.withoutKeys.length,
    report: reportName({ id }),
  };
}

/** Whoever may be released to, or ever was. */
async function recipientsOf(desk: Desk): Promise<string[]> {
  const { rows } = await desk.pool.query<{ recipient: string }>(
    `select recipient from agreement union select recipient from "order" union select recipient from recipient_state`,
  );
  return [...new Set([...Object.keys(desk.recipients), ...rows.map(({ recipient }) => recipient)])].sort();
}
