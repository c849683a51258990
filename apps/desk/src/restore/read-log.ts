import { leafHash } from "@tipstaff/ledger";
import type { Restore } from "@tipstaff/ledger/postgres";
import { KEYHOLDER_BATCH, type KeyholderResponse, type Outcome } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import { type DisclosureEvent, toDisclosure } from "./disclosure-events.ts";
import {
  type FollowUp,
  type LoggedRelease,
  type Place,
  type ReleaseEvent,
  toFollowUp,
  toJournalSize,
  toLoggedRelease,
} from "./log-events.ts";

/** A release that the log has and of which the keyholder keeps no decision. */
export type UndecidedRelease = LoggedRelease & { readonly outcome: undefined };

/** An entry that cannot be opened: a possible exposure. `released` where the keyholder remembers that it was one. */
export type UnopenedEntry = Place & {
  readonly released: boolean;
  /** Null where nobody knows. */
  readonly recipient: string | null;
  /** When the keyholder released it, RFC 3339; null where nobody knows. */
  readonly at: string | null;
};

/** What entries that came back say, in the order of the log. */
export type ReadLog = {
  /** Without the releases that the database has itself. */
  readonly events: readonly (ReleaseEvent | UndecidedRelease | FollowUp)[];
  readonly unopened: readonly UnopenedEntry[];
  readonly disclosures: readonly DisclosureEvent[];
  /** The longest that the keyholder's journal ever was, by the log. */
  readonly journalSize: number;
};

/** Where the desk itself asks, and no person. */
export const NOBODY = "00000000-0000-0000-0000-000000000000";

/** Has the keyholder open every entry that came back, and asks what it decided of those that the database has no release of. */
export async function readLog(
  desk: Pick<Desk, "pool" | "keyholder" | "sequencer">,
  { id, fromSize, toSize }: Pick<Restore, "id" | "fromSize" | "toSize">,
): Promise<ReadLog> {
  const events: (ReleaseEvent | UndecidedRelease | FollowUp)[] = [];
  const unopened: UnopenedEntry[] = [];
  const disclosures: DisclosureEvent[] = [];
  let journalSize = 0;
  for (let start = fromSize; start < toSize; start += KEYHOLDER_BATCH) {
    const entries = await readEntries(desk, start, Math.min(toSize, start + KEYHOLDER_BATCH));
    if (entries.length === 0) continue;
    const [outcomes, facts] = await Promise.all([askOutcomes(desk, entries), openAll(desk, entries, `restore ${id}`)]);
    for (const [at, { index, operationId, isKnown }] of entries.entries()) {
      const place = { index, operation: operationId.toString("hex") };
      const [said, outcome] = [facts[at] ?? undefined, outcomes[at] ?? undefined];
      if (said !== undefined) journalSize = Math.max(journalSize, toJournalSize(said));
      else if (outcome?.outcome !== "cancelled") unopened.push(toUnopened(place, outcome));
      const disclosure = said && toDisclosure(place, said);
      if (disclosure !== undefined) {
        disclosures.push(disclosure);
        continue;
      }
      const event = said === undefined ? toRecalled(place, outcome) : toEvent(place, said, outcome);
      if (event !== undefined && !(event.kind === "release" && isKnown)) events.push(event);
    }
  }
  return { events, unopened, disclosures, journalSize };
}

type Entry = { readonly index: number; readonly operationId: Buffer; readonly leaf: Buffer; readonly isKnown: boolean };

async function readEntries({ pool }: Pick<Desk, "pool">, from: number, to: number): Promise<readonly Entry[]> {
  const { rows } = await pool.query<{ idx: string; operationId: Buffer; leaf: Buffer; isKnown: boolean }>(
    `select idx, operation_id "operationId", leaf,
       exists (select from release where release.operation_id = intake.operation_id) "isKnown"
     from ledger.entry join ledger.intake using (seq) where idx >= $1 and idx < $2 order by idx`,
    [from, to],
  );
  return rows.map(({ idx, ...row }) => ({ ...row, index: Number(idx) }));
}

/** What the keyholder keeps of these leaves' releases, in the order given. */
export async function askOutcomes(
  { keyholder }: Pick<Desk, "keyholder">,
  entries: readonly { readonly leaf: Uint8Array }[],
): Promise<readonly (Outcome | null)[]> {
  const leafHashes = entries.map(({ leaf }) => Buffer.from(leafHash(leaf)).toString("hex"));
  return (await keyholder.call("releases/outcomes", { leafHashes })).outcomes;
}

async function openAll(
  { keyholder, sequencer }: Pick<Desk, "keyholder" | "sequencer">,
  entries: readonly Entry[],
  reason: string,
): Promise<KeyholderResponse<"facts/open">["facts"]> {
  const parts = await sequencer.events(entries.map(({ operationId }) => operationId));
  const asked = entries.map(({ operationId }, at) => ({
    operationId: operationId.toString("base64url"),
    openings: Buffer.from(parts[at] ?? []).toString("base64url"),
  }));
  return (await keyholder.call("facts/open", { reason, actor: NOBODY, entries: asked })).facts;
}

type Said = NonNullable<KeyholderResponse<"facts/open">["facts"][number]>;

function toEvent(
  place: Place,
  said: Said,
  outcome: Outcome | undefined,
): ReleaseEvent | UndecidedRelease | FollowUp | undefined {
  const release = toLoggedRelease(place, said);
  return release === undefined ? toFollowUp(place, said) : withOutcome(release, outcome);
}

/** The release with what the keyholder decided. */
export function withOutcome(release: LoggedRelease, outcome: Outcome | undefined): ReleaseEvent | UndecidedRelease {
  if (outcome === undefined || outcome.outcome === "undecided") return { ...release, outcome: undefined };
  return { ...release, outcome: outcome.outcome, decidedAt: outcome.at };
}

/** A release whose entry cannot be opened, as far as the keyholder's outcome reveals it. */
function toRecalled(place: Place, outcome: Outcome | undefined): ReleaseEvent | undefined {
  if (outcome?.outcome !== "released") return undefined;
  const revealed = new Map(outcome.revealed.map(({ field, value }) => [field, value]));
  const shown = (field: string): string => revealed.get(field) ?? "";
  return {
    ...{ ...place, kind: "release", order: "", agreement: "", line: undefined, previous: undefined },
    ...{ recipient: shown("recipient"), job: shown("job"), identity: shown("request") },
    ...{ attempt: Number(shown("attempt")), at: outcome.at, outcome: "released", decidedAt: outcome.at },
  };
}

function toUnopened(place: Place, outcome: Outcome | undefined): UnopenedEntry {
  const released = toRecalled(place, outcome);
  return {
    ...place,
    released: released !== undefined,
    recipient: released?.recipient ?? null,
    at: released?.at ?? null,
  };
}
