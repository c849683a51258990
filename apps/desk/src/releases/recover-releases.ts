import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import { finishReleases } from "./finish-releases.ts";
import { settleCounters } from "./settle-counters.ts";
import { type Decided, storeOutcomes } from "./store-outcomes.ts";
import { toStoredOutcome } from "./stored-outcome.ts";
import { readUndecided, type Undecided } from "./undecided.ts";

const BATCH = 256;
/**
 * What this process took on less than this ago, it is likely still at. Longer than a release takes, and not much longer: a
 * bureau's line waits for it. Too short costs a question to the keyholder, nothing else.
 */
const UNDER_WAY_MS = 3_000;
const LOG_TIMEOUT_MS = 20_000;

/**
 * Finishes releases that were reserved and have no outcome: after a restart, those of the process before; while running,
 * those that could not be finished at once. Nothing is guessed: what the keyholder has decided stands, and what it has not
 * it decides now, by the request as it came.
 */
export async function recoverReleases(desk: Desk): Promise<number> {
  const started = Date.now() - process.uptime() * 1000;
  const before = new Date(Math.max(started, desk.now().getTime() - UNDER_WAY_MS));
  const undecided = await readUndecided(desk, { before, limit: Math.min(BATCH, KEYHOLDER_BATCH) });
  if (undecided.length === 0) return 0;
  desk.log.info({ releases: undecided.length }, "finishing releases");
  const kept = await storeKept(desk, undecided);
  const left = undecided.filter(({ identity }) => !kept.has(identity));
  const decided = left.length === 0 ? [] : await finishReleases(desk, left, () => settleCounters(desk));
  return kept.size + decided.length;
}

/** Stores the outcomes that the keyholder has kept already; answers whose they are. */
async function storeKept(desk: Desk, undecided: readonly Undecided[]): Promise<Set<string>> {
  const { outcomes } = await desk.keyholder.call("releases/outcomes", {
    leafHashes: undecided.map(({ leafHash }) => leafHash),
  });
  const known = undecided.filter((_, at) => outcomes[at] !== null && outcomes[at] !== undefined);
  const operations = known.map(({ operationId }) => operationId);
  const logged = await desk.sequencer.waitLogged(operations, { timeoutMs: LOG_TIMEOUT_MS });
  const byHash = new Map(
    outcomes.flatMap((outcome) => (outcome === null ? [] : [[outcome.leafHash, outcome] as const])),
  );
  const decided = known.flatMap((release, at): Decided[] => {
    const [place, outcome] = [logged[at], byHash.get(release.leafHash)];
    if (place === undefined || outcome === undefined) return [];
    const { job, attempt, leaf } = release;
    const stored = toStoredOutcome(outcome, { job, attempt, leaf, logged: place, origin: desk.origin });
    return stored === undefined ? [] : [{ release, outcome: stored }];
  });
  await storeOutcomes(desk, decided);
  return new Set(decided.map(({ release }) => release.identity));
}
