import { openRestores, type Restore, settleRestores } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import { placeHold } from "../releases/place-hold.ts";
import { findForgotten } from "./find-forgotten.ts";
import { mendCounts } from "./mend-counts.ts";
import { type ReadLog, readLog } from "./read-log.ts";
import { assertKeyholderCurrent, rebuildState } from "./rebuild-state.ts";
import { freeReportName, type RestoreReport, toReportText, writeReport } from "./restore-report.ts";

/**
 * At the start, before anything else is put right: where the ledger was rebuilt into a database that had lost entries, the
 * desk does not know what it released since. The people's counts are raised to the log's; every recipient is held; then
 * the release state is rebuilt from the log, and only then may two people lift a hold. Throws where it cannot be rebuilt:
 * everything stays held, and the next start does it again.
 */
export async function holdAfterRestore(desk: Desk): Promise<void> {
  for (const restore of await openRestores(desk.pool)) await recover(desk, restore);
}

async function recover(desk: Desk, restore: Restore): Promise<void> {
  // First: a hold is an entry too, and nobody's next entry may repeat a number.
  const counts = await mendCounts(desk, restore);
  const log = await readLog(desk, restore);
  const found = { ...restore, entries: restore.toSize - restore.fromSize, ...findForgotten(log), counts };
  const report = await freeReportName(desk, restore);
  await holdAll(desk, { found, report }, log);
  await assertKeyholderCurrent(desk, restore, log);
  const { withoutKeys } = counts;
  const text = await rebuildState(desk, { restore, log, withoutKeys }, (rebuilt) =>
    toReportText({ ...found, rebuilt }),
  );
  await writeReport(desk, { id: restore.id, name: report }, text);
  // Last: a desk that is killed in between does it again at its next start; what was rebuilt is not rebuilt twice.
  await settleRestores(desk.pool, [restore.id]);
}

type Found = Omit<RestoreReport, "rebuilt">;

type Held = { readonly found: Found; readonly report: string };

async function holdAll(desk: Desk, held: Held, log: ReadLog): Promise<void> {
  const detail = detailOf(held);
  // One that stands since an earlier restore does not hold for this one, where the log is about to lift it.
  const besides = log.events.flatMap((event) => (event.kind === "hold-lifted" ? [event.hold] : []));
  desk.log.warn(detail, "the database was restored; all is held");
  for (const recipient of [...new Set([...(await recipientsOf(desk)), ...recipientsIn(log)])].sort()) {
    const { hold, placed } = await placeHold(desk, { recipient, reason: "restored", detail, placedBy: null, besides });
    if (!placed) await forgetConsent(desk, hold);
  }
}

/** Whoever agreed to lift a hold of an earlier restore did not know of this one. */
async function forgetConsent({ pool }: Desk, hold: string): Promise<void> {
  await pool.query("update hold set lift_asked_by = null, lift_asked_at = null where id = $1 and lifted_at is null", [
    hold,
  ]);
}

function detailOf({ found, report }: Held) {
  const { id, fromSize, toSize, entries, released, undecided, unopened, counts } = found;
  return {
    ...{ restore: id, fromSize, toSize, entries },
    releases: released.length + unopened.filter((entry) => entry.released).length,
    undecided: undecided.length,
    unopened: unopened.length,
    countsRaised: counts.raised,
    withoutKeys: counts.withoutKeys.length,
    report,
  };
}

/** Whoever may be released to, or ever was. */
async function recipientsOf(desk: Desk): Promise<string[]> {
  const { rows } = await desk.pool.query<{ recipient: string }>(
    `select recipient from agreement union select recipient from "order" union select recipient from recipient_state`,
  );
  return [...Object.keys(desk.recipients), ...rows.map(({ recipient }) => recipient)];
}

/** Also those of whom the log alone knows. */
const recipientsIn = ({ events }: ReadLog): string[] =>
  events.flatMap((event) => ("recipient" in event && event.recipient !== "" ? [event.recipient] : []));
