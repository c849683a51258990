import { chainNext } from "@tipstaff/release-protocol";
import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { appendEntries } from "../entries/append-entries.ts";
import { oneTrip } from "../entries/one-trip.ts";
import { inTransaction, moveCounts } from "../entries/record-entries.ts";
import { applyRelease } from "./apply-release.ts";
import type { AskedRelease } from "./asked-release.ts";
import {
  type AgreementInUse,
  decideRelease,
  type LineState,
  type ReleaseRefusal,
  type ReleaseState,
} from "./decide-release.ts";
import { type BatchState, loadReleaseState } from "./load-release-state.ts";
import { type PreparedRelease, prepareReleases } from "./prepare-releases.ts";

/** `known`: reserved before, so this is a retry. `busy`: somebody else is changing the job or the person at this moment; ask again. */
export type Reservation =
  | { readonly kind: "reserved"; readonly release: PreparedRelease }
  | { readonly kind: "refused"; readonly refusal: ReleaseRefusal }
  | { readonly kind: "known" }
  | { readonly kind: "busy" };

/**
 * Decides a batch of one recipient's requests, in the order given, in one transaction that counts, reserves, and puts the
 * entries of those allowed into the intake.
 */
export async function reserveReleases(
  desk: Desk,
  batch: {
    readonly recipient: string;
    readonly asked: readonly AskedRelease[];
    readonly agreements: ReadonlyMap<string, AgreementInUse>;
  },
): Promise<Reservation[]> {
  const now = desk.now();
  const { prepared, deferred } = await prepareReleases(desk, batch.asked, now);
  const work = async (client: PoolClient): Promise<Reservation[]> => {
    const state = await loadReleaseState(client, batch);
    const reservations = batch.asked.map((asked) =>
      deferred.has(asked.identity) ? BUSY : reserveOne(state, { asked, prepared: prepared.get(asked.identity), now }),
    );
    const reserved = reservations.flatMap((one) => (one.kind === "reserved" ? [one.release] : []));
    if (reserved.length > 0) await writeReserved(client, { recipient: batch.recipient, reserved, state, now });
    return reservations;
  };
  // The entry's place in the log is made durable before the keyholder decides, and this with it: no need to wait here.
  return inTransaction(desk.pool, work, { unhurried: true });
}

const BUSY: Reservation = { kind: "busy" };
const NO_LINE: LineState = { chain: "", open: 0, pinned: false };

/** Decides one request and moves the batch's state on. */
function reserveOne(
  state: BatchState,
  { asked, prepared, now }: { asked: AskedRelease; prepared: PreparedRelease | undefined; now: Date },
): Reservation {
  const { request } = asked;
  if (state.known.has(asked.identity)) return { kind: "known" };
  if (state.busy.has(request.job)) return BUSY;
  const facts = toReleaseState(state, asked, now);
  const decision = decideRelease(request, facts);
  if (!decision.ok) {
    // What follows a tripped wire in the same batch is held already.
    if (decision.tripwire !== undefined) state.held = true;
    return { kind: "refused", refusal: decision };
  }
  const { job } = facts;
  const isCurrent = prepared !== undefined && state.counts.get(prepared.secrets.person) === prepared.count;
  if (job === undefined || !isCurrent) return BUSY;
  const nextChain = Buffer.from(
    chainNext(Buffer.from(request.previous, "hex"), Buffer.from(asked.identity, "hex")),
  ).toString("hex");
  const after = applyRelease({ ...facts, job }, request, { effects: decision.effects, nextChain });
  state.jobs.set(request.job, after.job);
  state.lines.set(request.line, after.line);
  state.bucket = after.recipient.bucket;
  state.unaccounted = after.recipient.unaccounted;
  state.lineCount = after.recipient.lines;
  return { kind: "reserved", release: prepared };
}

function toReleaseState(state: BatchState, { request }: AskedRelease, now: Date): ReleaseState {
  const run = state.runs.get(request.run);
  const line = state.lines.get(request.line);
  return {
    now,
    job: state.jobs.get(request.job),
    run: run && { ...run, hasJob: run.jobs.has(request.job) },
    agreement: state.agreements.get(request.agreement),
    recipient: { bucket: state.bucket, unaccounted: state.unaccounted, lines: state.lineCount },
    line: line ?? NO_LINE,
    held: state.held,
  };
}

type Writing = {
  readonly recipient: string;
  readonly reserved: readonly PreparedRelease[];
  readonly state: BatchState;
  readonly now: Date;
};

async function writeReserved(client: PoolClient, writing: Writing): Promise<void> {
  const { recipient, reserved, state } = writing;
  const { bucket, unaccounted } = state;
  const moves = reserved.map(({ secrets, count }) => ({ person: secrets.person, from: count, to: count + 1 }));
  const entries = reserved.map(({ entry }) => entry);
  const [, , , , moved] = await oneTrip(client, [
    () =>
      client.query({
        name: "release-recipient",
        text: "update recipient_state set tokens = $2, tokens_at = $3, unaccounted = $4 where recipient = $1",
        values: [recipient, bucket.tokens, bucket.at, unaccounted],
      }),
    () => writeLines(client, writing),
    () => writeJobs(client, reserved),
    () => insertReleases(client, writing),
    () => moveCounts(client, moves),
    () => appendEntries(client, entries),
  ]);
  if (!moved) throw new Error("A locked person's count moved");
}

async function writeLines(client: PoolClient, { recipient, reserved, state }: Writing): Promise<void> {
  const lines = [...new Set(reserved.map(({ request }) => request.line))].sort();
  const states = lines.map((line) => state.lines.get(line) ?? NO_LINE);
  await client.query({
    name: "release-lines",
    text: `insert into line (recipient, line, chain, open)
     select $1, * from unnest($2::text[], $3::bytea[], $4::int[])
     on conflict (recipient, line) do update set chain = excluded.chain, open = excluded.open`,
    values: [recipient, lines, states.map(({ chain }) => Buffer.from(chain, "hex")), states.map(({ open }) => open)],
  });
}

async function writeJobs(client: PoolClient, reserved: readonly PreparedRelease[]): Promise<void> {
  await client.query({
    name: "release-reserve",
    text: `update job set state = 'reserved', attempt = asked.attempt, line = asked.line, release_operation = asked.operation
     from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[]) as asked(id, attempt, line, operation)
     where job.id = asked.id`,
    values: [
      reserved.map(({ request }) => request.job),
      reserved.map(({ request }) => request.attempt),
      reserved.map(({ request }) => request.line),
      reserved.map(({ entry }) => entry.operationId),
    ],
  });
}

async function insertReleases(client: PoolClient, { recipient, reserved, now }: Writing): Promise<void> {
  await client.query({
    name: "release-insert",
    text: `insert into release
       (operation_id, job_id, attempt, recipient, line, identity, request, state, leaf_hash, reserved_at)
     select operation, job, attempt, $1, line, identity, request, 'reserved', leaf_hash, $2
     from unnest($3::bytea[], $4::uuid[], $5::int[], $6::text[], $7::bytea[], $8::jsonb[], $9::bytea[])
       as asked(operation, job, attempt, line, identity, request, leaf_hash)`,
    values: [
      recipient,
      now,
      reserved.map(({ entry }) => entry.operationId),
      reserved.map(({ request }) => request.job),
      reserved.map(({ request }) => request.attempt),
      reserved.map(({ request }) => request.line),
      reserved.map(({ identity }) => Buffer.from(identity, "hex")),
      reserved.map(({ raw }) => JSON.stringify(raw)),
      reserved.map(({ entry }) => Buffer.from(entry.leafHash, "hex")),
    ],
  });
}
