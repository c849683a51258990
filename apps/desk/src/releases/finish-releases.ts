import type { Logged } from "@tipstaff/ledger/postgres";
import type { KeyholderRequest, Outcome } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import { tellKeyholder } from "./place-hold.ts";
import { type Decided, storeOutcomes } from "./store-outcomes.ts";
import { toStoredOutcome } from "./stored-outcome.ts";
import type { Undecided } from "./undecided.ts";

/** How long an entry may take to be logged before the request is answered `unavailable`; the work goes on later. */
const LOG_TIMEOUT_MS = 15_000;

/**
 * Takes reserved releases to their outcomes: waits until they are logged, has the keyholder decide, stores what it
 * decided. `settle` tells it of receipts and scans before. Those that it left undecided are missing in the answer. Safe
 * to repeat, and to run twice at once: the keyholder keeps one outcome for each leaf, and answers it again.
 */
export async function finishReleases(
  desk: Desk,
  releases: readonly Undecided[],
  settle: () => Promise<unknown>,
): Promise<Decided[]> {
  const operations = releases.map(({ operationId }) => operationId);
  const logging = desk.sequencer.waitLogged(operations, { timeoutMs: LOG_TIMEOUT_MS });
  desk.sequencer.wake();
  const logged = await logging;
  // Receipts and scans free slots at the keyholder too: it must hear of them before it counts.
  await settle();
  // Last, since that may take long: holds that were placed meanwhile, and records that changed.
  const [withdrawn] = await Promise.all([findWithdrawn(desk, releases), tellKeyholder(desk)]);
  const { outcomes } = await desk.keyholder.call("releases/decide", {
    releases: releases.map((release, at) =>
      toQuestion(withdrawn.has(release.job) ? { ...release, wrapped: NO_KEY } : release, logged[at]),
    ),
  });
  const decided = releases.flatMap((release, at) =>
    toDecided(desk, { release, logged: logged[at], outcome: outcomes[at] }),
  );
  await storeOutcomes(desk, decided);
  return decided;
}

/** What the keyholder cannot unwrap it cancels, signed, unless it has decided already. */
const NO_KEY = Buffer.alloc(0);

/** Jobs whose person's record changed, or went, after they were reserved: their wrapped keys are shown to nobody any more. */
async function findWithdrawn({ pool }: Desk, releases: readonly Undecided[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ id: string }>({
    name: "releases-withdrawn",
    text: `select job.id from job join person on person.id = job.person_id
      where job.id = any($1::uuid[]) and (person.presence = 'erased' or person.record_version <> job.record_version)`,
    values: [releases.map(({ job }) => job)],
  });
  return new Set(rows.map(({ id }) => id));
}

type Question = KeyholderRequest<"releases/decide">["releases"][number];

function toQuestion(release: Undecided, logged: Logged | undefined): Question {
  if (logged === undefined) throw new Error("An entry was waited for and not answered");
  return {
    agreement: release.agreement,
    request: release.raw,
    person: release.person,
    wrapped: release.wrapped.toString("base64url"),
    context: release.context.toString("base64url"),
    leaf: release.leaf.toString("base64url"),
    openings: release.openings.toString("base64url"),
    index: logged.index,
    treeSize: logged.size,
    proof: logged.proof.map((hash) => Buffer.from(hash).toString("base64")),
    checkpoint: Buffer.from(logged.checkpoint).toString("utf8"),
  };
}

function toDecided(
  desk: Desk,
  given: { release: Undecided; logged: Logged | undefined; outcome: Outcome | undefined },
): Decided[] {
  const { release, logged, outcome } = given;
  if (logged === undefined || outcome === undefined) return [];
  if (outcome.outcome === "undecided") {
    desk.log.warn({ job: release.job, code: outcome.code }, "the keyholder has not decided a release");
    return [];
  }
  const { job, attempt, leaf } = release;
  const stored = toStoredOutcome(outcome, { job, attempt, leaf, logged, origin: desk.origin });
  return stored === undefined ? [] : [{ release, outcome: stored }];
}
