import { leafHash } from "@tipstaff/ledger";
import type { Restore } from "@tipstaff/ledger/postgres";
import { KEYHOLDER_BATCH, type KeyholderResponse } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";

/** Where an entry stands in the log, and its operation id in hex. */
type Place = { readonly index: number; readonly operation: string };

/** A release that the log has and the database has not, as its entry says it. */
export type ForgottenRelease = Place & {
  readonly recipient: string;
  readonly order: string;
  readonly job: string;
  readonly attempt: number;
  /** When it was asked for, RFC 3339. */
  readonly at: string;
};

/** An entry that cannot be opened: a possible exposure. `released` where the keyholder remembers that it was one. */
export type UnopenedEntry = Place & { readonly released: boolean };

/** What the ledger has and the database's own tables do not, by index. */
export type Forgotten = {
  /** Entries that came back from the log's folder. */
  readonly entries: number;
  readonly released: readonly ForgottenRelease[];
  /** Releases of which the keyholder keeps no decision: nothing was given, unless the keyholder's store is older too. */
  readonly undecided: readonly ForgottenRelease[];
  readonly unopened: readonly UnopenedEntry[];
};

/** Where the desk itself asks, and no person. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

/** Has the keyholder, which remembers what it decided, open every entry that came back and that the database has no release of. */
export async function findForgotten(
  desk: Pick<Desk, "pool" | "keyholder" | "sequencer">,
  { id, fromSize, toSize }: Pick<Restore, "id" | "fromSize" | "toSize">,
): Promise<Forgotten> {
  const released: ForgottenRelease[] = [];
  const undecided: ForgottenRelease[] = [];
  const unopened: UnopenedEntry[] = [];
  for (let start = fromSize; start < toSize; start += KEYHOLDER_BATCH) {
    const entries = await readUnknown(desk, start, Math.min(toSize, start + KEYHOLDER_BATCH));
    if (entries.length === 0) continue;
    const [outcomes, facts] = await Promise.all([askOutcomes(desk, entries), openAll(desk, entries, `restore ${id}`)]);
    for (const [at, { index, operationId }] of entries.entries()) {
      const place = { index, operation: operationId.toString("hex") };
      const outcome = outcomes[at]?.outcome;
      const said = facts[at];
      if (!said) unopened.push({ ...place, released: outcome === "released" });
      else if (outcome === "released") released.push(toRelease(place, said));
      else if (said.kind === "release" && outcome !== "cancelled") undecided.push(toRelease(place, said));
    }
  }
  return { entries: toSize - fromSize, released, undecided, unopened };
}

type Unknown = { readonly index: number; readonly operationId: Buffer; readonly leaf: Buffer };

async function readUnknown({ pool }: Pick<Desk, "pool">, from: number, to: number): Promise<readonly Unknown[]> {
  const { rows } = await pool.query<{ idx: string; operationId: Buffer; leaf: Buffer }>(
    `select idx, operation_id "operationId", leaf from ledger.entry join ledger.intake using (seq)
     where idx >= $1 and idx < $2
       and not exists (select from release where release.operation_id = intake.operation_id) order by idx`,
    [from, to],
  );
  return rows.map(({ idx, ...row }) => ({ ...row, index: Number(idx) }));
}

async function askOutcomes({ keyholder }: Pick<Desk, "keyholder">, entries: readonly Unknown[]) {
  const leafHashes = entries.map(({ leaf }) => Buffer.from(leafHash(leaf)).toString("hex"));
  return (await keyholder.call("releases/outcomes", { leafHashes })).outcomes;
}

async function openAll(
  { keyholder, sequencer }: Pick<Desk, "keyholder" | "sequencer">,
  entries: readonly Unknown[],
  reason: string,
) {
  const events = await sequencer.events(entries.map(({ operationId }) => operationId));
  const asked = entries.map(({ operationId }, at) => ({
    operationId: operationId.toString("base64url"),
    openings: Buffer.from(events[at] ?? []).toString("base64url"),
  }));
  return (await keyholder.call("facts/open", { reason, actor: NOBODY, entries: asked })).facts;
}

type Said = NonNullable<KeyholderResponse<"facts/open">["facts"][number]>;

function toRelease(place: Place, { recipient, order, job, attempt, at }: Said): ForgottenRelease {
  return { ...place, recipient, order, job, attempt: Number(attempt), at };
}
