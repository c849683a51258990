import { KEYHOLDER_BATCH, type KeyholderRequest, type RawRequest } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";
import type { LogEvent, ReleaseEvent } from "./log-events.ts";
import { NOBODY, type ReadLog, type UndecidedRelease, withOutcome } from "./read-log.ts";

const BATCH = Math.min(1024, KEYHOLDER_BATCH);
const LOG_TIMEOUT_MS = 60_000;

/** The bureau's signed request went with the database; without it nothing can be released. */
const LOST: RawRequest = { method: "POST", targetUri: "", headers: {}, body: "" };

/**
 * The events with an outcome for each release. Those that the keyholder never decided it decides now, without the request
 * that was lost: it signs a cancellation, so that nothing can be given for them any more. Throws where it does not.
 */
export async function cancelUndecided(desk: Desk, { events }: Pick<ReadLog, "events">): Promise<LogEvent[]> {
  const undecided = events.filter(isUndecided);
  const decided = new Map<string, ReleaseEvent>();
  for (let start = 0; start < undecided.length; start += BATCH) {
    for (const event of await decide(desk, undecided.slice(start, start + BATCH))) decided.set(event.operation, event);
  }
  return events.flatMap((event) => (isUndecided(event) ? (decided.get(event.operation) ?? []) : [event]));
}

const isUndecided = (event: ReadLog["events"][number]): event is UndecidedRelease =>
  event.kind === "release" && event.outcome === undefined;

type Question = KeyholderRequest<"releases/decide">["releases"][number];

async function decide(desk: Desk, releases: readonly UndecidedRelease[]): Promise<ReleaseEvent[]> {
  const operations = releases.map(({ operation }) => Buffer.from(operation, "hex"));
  const [logged, entries] = await Promise.all([
    desk.sequencer.waitLogged(operations, { timeoutMs: LOG_TIMEOUT_MS }),
    desk.sequencer.entries(operations),
  ]);
  const questions = releases.map(({ agreement }, at): Question => {
    const [place, entry] = [logged[at], entries[at]];
    if (place === undefined || entry === undefined) throw new DeskError("broken-invariant", "An entry went away");
    return {
      ...{ agreement, request: LOST, person: NOBODY, wrapped: "", context: "" },
      leaf: Buffer.from(entry.leaf).toString("base64url"),
      openings: Buffer.from(entry.openings).toString("base64url"),
      index: place.index,
      treeSize: place.size,
      proof: place.proof.map((hash) => Buffer.from(hash).toString("base64")),
      checkpoint: Buffer.from(place.checkpoint).toString("utf8"),
    };
  });
  const { outcomes } = await desk.keyholder.call("releases/decide", { releases: questions });
  return releases.map((release, at) => {
    const outcome = outcomes[at];
    const event = withOutcome(release, outcome);
    if (event.outcome !== undefined) return event;
    const code = outcome?.outcome === "undecided" ? outcome.code : "no answer";
    throw new DeskError(
      "unavailable",
      `The keyholder cannot decide the release of entry ${release.index} (${code}), so the release state is not rebuilt; everything is held`,
    );
  });
}
