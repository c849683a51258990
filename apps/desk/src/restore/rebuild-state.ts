import { leafHash } from "@tipstaff/ledger";
import type { Restore } from "@tipstaff/ledger/postgres";
import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { inTransaction } from "../entries/record-entries.ts";
import { toStoredOutcome } from "../releases/stored-outcome.ts";
import { DeskError } from "../server/desk-error.ts";
import { applyRebuild, noteUnopened, type ReleaseEvidence } from "./apply-rebuild.ts";
import { cancelUndecided } from "./cancel-undecided.ts";
import { eraseAgain } from "./erase-again.ts";
import { loadKnown } from "./load-known.ts";
import type { Place } from "./log-events.ts";
import { planRebuild, type Rebuild, type RebuiltRelease } from "./plan-rebuild.ts";
import { askOutcomes, type ReadLog } from "./read-log.ts";
import { rebuildDisclosures } from "./rebuild-disclosures.ts";
import { choosePeopleToErase, refuseOldKeyholder } from "./rebuild-rules.ts";

const LOG_TIMEOUT_MS = 60_000;

/** What was rebuilt: how many rows, and what needs a person's eye. Ids alone, nobody's data. */
export type RebuiltState = {
  readonly releases: number;
  /** Jobs of the register whose state changed. */
  readonly jobs: number;
  /** Jobs that the database does not know; they are counted, and never released again. */
  readonly stubs: readonly string[];
  readonly receipts: number;
  readonly scanned: number;
  readonly cards: number;
  readonly lines: number;
  readonly approvals: number;
  readonly runsClosed: number;
  readonly holdsPlaced: number;
  readonly holdsLifted: number;
  /** Declared disclosures, one for each person. */
  readonly disclosures: number;
  /** People who were erased since, and are again. */
  readonly erased: number;
  /** Releases whose line nobody knows. */
  readonly unplaced: readonly Place[];
  /** Jobs whose receipt the keyholder has not counted, while the signed receipt itself is lost. */
  readonly uncounted: readonly string[];
  /** Entries of which nothing was rebuilt, by kind. */
  readonly notRebuilt: Readonly<Record<string, number>>;
};

/** Throws `unavailable` where the keyholder's store is older than the log: then it may have forgotten what it gave away. */
export async function assertKeyholderCurrent(
  { keyholder }: Pick<Desk, "keyholder">,
  { toSize }: Pick<Restore, "toSize">,
  { journalSize: loggedJournalSize }: Pick<ReadLog, "journalSize">,
): Promise<void> {
  const { checkpoint } = await keyholder.call("status", {});
  const { size: journalSize } = await keyholder.call("journal/head", {});
  const words = refuseOldKeyholder({ signedSize: checkpoint.size, logSize: toSize, journalSize, loggedJournalSize });
  if (words !== undefined) throw new DeskError("unavailable", words);
}

/**
 * Rebuilds the release state from what the log says, in one transaction, once for each restore; `toReport` makes of it
 * the text that is kept. Answers the text that was kept, now or by a start that was killed after it.
 */
export async function rebuildState(
  desk: Desk,
  given: { readonly restore: Restore; readonly log: ReadLog; readonly withoutKeys: readonly string[] },
  toReport: (rebuilt: RebuiltState) => string,
): Promise<string> {
  const { restore, log } = given;
  const events = await cancelUndecided(desk, log);
  return inTransaction(desk.pool, async (client) => {
    // Two desks that start at once take turns.
    await client.query("select from ledger.restore where id = $1 for update", [restore.id]);
    const kept = await readReport(client, restore);
    if (kept !== undefined) return kept;
    const plan = planRebuild(events, await loadKnown(desk, client, events));
    const evidenceOf = (releases: readonly RebuiltRelease[]) => gatherEvidence(desk, releases);
    await applyRebuild(client, plan, { now: desk.now(), evidenceOf });
    await noteUnopened(client, log.unopened);
    const erased = choosePeopleToErase(given.withoutKeys, plan.others.erased ?? 0);
    await eraseAgain(client, erased, desk.now());
    const asking = { disclosures: log.disclosures, reason: `restore ${restore.id}` };
    const disclosures = await rebuildDisclosures(desk, client, asking);
    const lost = log.disclosures.length - disclosures;
    const report = toReport({
      ...summarise(plan),
      ...{ disclosures, erased: erased.length, uncounted: await findUncounted(desk, plan) },
      notRebuilt: lost === 0 ? plan.others : { ...plan.others, disclosure: lost },
    });
    await client.query("insert into restore_rebuild (restore_id, rebuilt_at, report) values ($1, $2, $3)", [
      ...[restore.id, desk.now(), report],
    ]);
    return report;
  });
}

async function readReport(client: PoolClient, { id }: Restore): Promise<string | undefined> {
  const { rows } = await client.query<{ report: string }>("select report from restore_rebuild where restore_id = $1", [
    id,
  ]);
  return rows[0]?.report;
}

/** The outcome of each release as the bureau is answered it, with a proof by the log as it stands. */
async function gatherEvidence(desk: Desk, releases: readonly RebuiltRelease[]): Promise<ReleaseEvidence[]> {
  const operations = releases.map(({ operation }) => Buffer.from(operation, "hex"));
  const entries = await desk.sequencer.entries(operations);
  const leaves = entries.map((entry) => ({ leaf: Buffer.from(entry?.leaf ?? []) }));
  const [outcomes, logged] = await Promise.all([
    askOutcomes(desk, leaves),
    desk.sequencer.waitLogged(operations, { timeoutMs: LOG_TIMEOUT_MS }),
  ]);
  return releases.map(({ job, attempt }, at) => {
    const [leaf, outcome, place] = [leaves[at]?.leaf, outcomes[at], logged[at]];
    if (leaf === undefined || !outcome || place === undefined)
      throw new DeskError("broken-invariant", "A release that was decided has no outcome any more");
    const stored = toStoredOutcome(outcome, { job, attempt, leaf, logged: place, origin: desk.origin });
    return { leafHash: Buffer.from(leafHash(leaf)), outcome: stored };
  });
}

function summarise(plan: Rebuild): Omit<RebuiltState, "uncounted" | "erased" | "disclosures" | "notRebuilt"> {
  const { jobs, stubs, scanned, unplaced } = plan;
  return {
    releases: plan.releases.length,
    jobs: jobs.length,
    stubs: stubs.map(({ job }) => job),
    receipts: plan.receipts.length,
    scanned: scanned.length,
    cards: plan.cards.length + plan.voided.length,
    lines: plan.lines.length,
    approvals: plan.approvals.length,
    runsClosed: plan.runsClosed.length,
    holdsPlaced: plan.holdsPlaced.length,
    holdsLifted: plan.holdsLifted.length,
    unplaced,
  };
}

async function findUncounted({ keyholder }: Desk, { receipts }: Rebuild): Promise<string[]> {
  const uncounted: string[] = [];
  for (let start = 0; start < receipts.length; start += KEYHOLDER_BATCH) {
    const jobs = receipts.slice(start, start + KEYHOLDER_BATCH).map(({ job }) => job);
    const { jobs: recalled } = await keyholder.call("jobs/recall", { jobs });
    uncounted.push(...jobs.filter((_, at) => recalled[at]?.answered !== true));
  }
  return uncounted;
}
