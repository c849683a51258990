import type { PoolClient } from "pg";
import { voidCards } from "../releases/store-outcomes.ts";
import type { JobRow } from "./known-state.ts";
import type { Rebuild, RebuiltRelease } from "./plan-rebuild.ts";
import { NOBODY, type UnopenedEntry } from "./read-log.ts";

/** What a release's row needs beside its event: the leaf that it is logged under, and the outcome as it is answered. */
export type ReleaseEvidence = { readonly leafHash: Buffer; readonly outcome: unknown };

/** Writes the plan; `evidenceOf` answers of a batch of releases, in order. */
export async function applyRebuild(
  client: PoolClient,
  plan: Rebuild,
  given: {
    readonly now: Date;
    readonly evidenceOf: (releases: readonly RebuiltRelease[]) => Promise<readonly ReleaseEvidence[]>;
  },
): Promise<void> {
  await insertStubs(client, plan.stubs);
  await updateJobs(client, plan.jobs);
  for (let start = 0; start < plan.releases.length; start += BATCH) {
    const batch = plan.releases.slice(start, start + BATCH);
    await insertReleases(client, batch, await given.evidenceOf(batch));
  }
  await insertReceipts(client, plan);
  await updateCards(client, plan, given.now);
  await writeLines(client, plan);
  await writeConsents(client, plan);
  await queueScans(client, plan, given.now);
  await writeCounters(client, plan);
}

const BATCH = 1024;
const toBytes = (hex: string | null): Buffer | null => (hex === null || hex === "" ? null : Buffer.from(hex, "hex"));

async function insertStubs(client: PoolClient, stubs: readonly JobRow[]): Promise<void> {
  await client.query(
    `insert into job (id, recipient, record_version, state, context, logged_order, logged_agreement)
     select id, recipient, 0, state, '', logged_order, logged_agreement
     from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bytea[])
       as t(id, recipient, state, logged_order, logged_agreement)`,
    [
      stubs.map(({ job }) => job),
      stubs.map(({ recipient }) => recipient),
      stubs.map(({ state }) => state),
      stubs.map(({ logged }) => logged?.order || null),
      stubs.map(({ logged }) => toBytes(logged?.agreement ?? null)),
    ],
  );
  await updateJobs(client, stubs);
}

/** A job that ended has no key any more. */
async function updateJobs(client: PoolClient, jobs: readonly JobRow[]): Promise<void> {
  await client.query(
    `update job set state = t.state, attempt = t.attempt, line = t.line, release_operation = t.operation,
       released_at = t.released_at, receipt_at = t.receipt_at, scanned_at = t.scanned_at, blank = t.blank,
       result = case when t.state in ('produced', 'spoiled') then t.state else job.result end,
       wrapped = case when t.state = 'released' then job.wrapped end
     from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[],
         $8::timestamptz[], $9::text[])
       as t(id, state, attempt, line, operation, released_at, receipt_at, scanned_at, blank)
     where job.id = t.id`,
    [
      jobs.map(({ job }) => job),
      jobs.map(({ state }) => state),
      jobs.map(({ attempt }) => attempt),
      jobs.map(({ line }) => line),
      jobs.map(({ releaseOperation }) => toBytes(releaseOperation)),
      jobs.map(({ releasedAt }) => releasedAt),
      jobs.map(({ receiptAt }) => receiptAt),
      jobs.map(({ scannedAt }) => scannedAt),
      jobs.map(({ blank }) => blank),
    ],
  );
}

async function insertReleases(
  client: PoolClient,
  releases: readonly RebuiltRelease[],
  evidence: readonly ReleaseEvidence[],
): Promise<void> {
  await client.query(
    `insert into release
       (operation_id, job_id, attempt, recipient, line, identity, state, leaf_hash, outcome, reserved_at, decided_at)
     select * from unnest($1::bytea[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::text[],
       $8::bytea[], $9::jsonb[], $10::timestamptz[], $11::timestamptz[])`,
    [
      releases.map(({ operation }) => toBytes(operation)),
      releases.map(({ job }) => job),
      releases.map(({ attempt }) => attempt),
      releases.map(({ recipient }) => recipient),
      releases.map(({ line }) => line),
      releases.map(({ identity }) => toBytes(identity)),
      releases.map(({ outcome }) => outcome),
      evidence.map(({ leafHash }) => leafHash),
      evidence.map(({ outcome }) => JSON.stringify(outcome)),
      releases.map(({ at }) => at),
      releases.map(({ decidedAt }) => decidedAt),
    ],
  );
}

async function insertReceipts(client: PoolClient, { receipts }: Rebuild): Promise<void> {
  await client.query(
    `insert into receipt (job_id, attempt, digest, operation_id, received_at)
     select * from unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[], $5::timestamptz[])`,
    [
      receipts.map(({ job }) => job),
      receipts.map(({ attempt }) => attempt),
      receipts.map(({ digest }) => toBytes(digest)),
      receipts.map(({ operation }) => toBytes(operation)),
      receipts.map(({ at }) => at),
    ],
  );
  await client.query(
    `update card set blank = t.blank from unnest($1::uuid[], $2::text[]) as t(job, blank)
     join job on job.id = t.job where card.id = job.card_id`,
    [receipts.map(({ job }) => job), receipts.map(({ blank }) => blank)],
  );
}

async function updateCards(client: PoolClient, { cards, voided }: Rebuild, now: Date): Promise<void> {
  const ids = cards.map(({ card }) => card);
  await client.query(
    `update card set validity = t.validity, custody = t.custody, revoked_reason = t.reason
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as t(id, validity, custody, reason)
     where card.id = t.id`,
    [
      ids,
      cards.map(({ validity }) => validity),
      cards.map(({ custody }) => custody),
      cards.map(({ revokedReason }) => revokedReason),
    ],
  );
  await client.query(
    `insert into card_event (card_id, at, actor, what, validity, custody)
     select id, $2, $3, 'rebuilt from the log', validity, custody from card where id = any($1::uuid[])`,
    [ids, now, NOBODY],
  );
  const because = (why: string) => voided.flatMap((one) => (one.why === why ? [one.card] : []));
  await voidCards(client, { cards: because("spoiled"), now, what: "spoiled at the bureau" });
  await voidCards(client, { cards: because("cancelled"), now, what: "release cancelled" });
}

/** A restart that nobody used yet is found by its line's chain value. */
async function writeLines(client: PoolClient, { lines, restarts }: Rebuild): Promise<void> {
  await client.query(
    `insert into line (recipient, line, chain) select * from unnest($1::text[], $2::text[], $3::bytea[])
     on conflict (recipient, line) do update set chain = excluded.chain`,
    [lines.map(({ recipient }) => recipient), lines.map(({ line }) => line), lines.map(({ chain }) => toBytes(chain))],
  );
  await client.query(
    `insert into line_restart (id, recipient, line, chain, asked_by, asked_at, confirmed_at)
     select t.id, t.recipient, t.line, line.chain, t.first, t.at, t.at
     from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[]) as t(id, recipient, line, first, at)
     join line using (recipient, line) join staff on staff.id = t.first
     on conflict (id) do update set confirmed_at = excluded.confirmed_at`,
    [
      restarts.map(({ restart }) => restart),
      restarts.map(({ recipient }) => recipient),
      restarts.map(({ line }) => line),
      restarts.map(({ first }) => first),
      restarts.map(({ at }) => at),
    ],
  );
}

/** What people had decided: the log says it, and whom each entry names as its actor. */
async function writeConsents(client: PoolClient, plan: Rebuild): Promise<void> {
  const { approvals, runsClosed, holdsPlaced, holdsLifted } = plan;
  await client.query(
    `insert into attempt_approval (job_id, attempt, approved_at)
     select * from unnest($1::uuid[], $2::int[], $3::timestamptz[]) on conflict do nothing`,
    [approvals.map(({ job }) => job), approvals.map(({ attempt }) => attempt), approvals.map(({ at }) => at)],
  );
  await client.query(
    `update run set state = 'closed', closed_at = t.at from unnest($1::uuid[], $2::timestamptz[]) as t(id, at)
     where run.id = t.id and run.state = 'open'`,
    [runsClosed.map(({ run }) => run), runsClosed.map(({ at }) => at)],
  );
  // Lifted first: a hold may stand once for a reason, and may have been placed again since.
  await client.query(
    `update hold set lifted_at = t.at from unnest($1::uuid[], $2::timestamptz[]) as t(id, at)
     where hold.id = t.id and lifted_at is null`,
    [holdsLifted.map(({ hold }) => hold), holdsLifted.map(({ at }) => at)],
  );
  const lifted = new Map(holdsLifted.map(({ hold, at }) => [hold, at]));
  await client.query(
    `insert into hold (id, recipient, reason, detail, placed_at, told_at, lifted_at)
     select id, recipient, reason, detail, at, at, lifted_at
     from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[])
       as t(id, recipient, reason, detail, at, lifted_at)
     on conflict do nothing`,
    [
      holdsPlaced.map(({ hold }) => hold),
      holdsPlaced.map(({ recipient }) => recipient),
      holdsPlaced.map(({ reason }) => reason),
      holdsPlaced.map(({ detail }) => JSON.stringify(detail)),
      holdsPlaced.map(({ at }) => at),
      holdsPlaced.map(({ hold }) => lifted.get(hold) ?? null),
    ],
  );
}

/** The keyholder counts each scanned card once, so telling it again is harmless. */
async function queueScans(client: PoolClient, { scanned }: Rebuild, now: Date): Promise<void> {
  await client.query(
    `insert into accounted_queue (job_id, actor, at) select id, $2, $3 from unnest($1::uuid[]) as t(id)
     on conflict do nothing`,
    [scanned, NOBODY, now],
  );
}

/** What is open and what is unaccounted is counted anew from the jobs. */
async function writeCounters(client: PoolClient, { buckets }: Rebuild): Promise<void> {
  const named = [...buckets];
  await client.query(
    `insert into recipient_state (recipient, tokens, tokens_at)
     select * from unnest($1::text[], $2::float8[], $3::timestamptz[])
     on conflict (recipient) do update set tokens = excluded.tokens, tokens_at = excluded.tokens_at`,
    [named.map(([recipient]) => recipient), named.map(([, { tokens }]) => tokens), named.map(([, { at }]) => at)],
  );
  await client.query(
    `update recipient_state set unaccounted = (select count(*) from job where job.recipient = recipient_state.recipient
       and attempt > 0 and state <> 'cancelled' and scanned_at is null)`,
  );
  await client.query(
    `update line set open = (select count(*) from job where job.recipient = line.recipient and job.line = line.line
       and state in ('reserved', 'logged', 'released', 'uncertain'))`,
  );
}

/** Notes the entries that stay shut, for whoever asks who was exposed. */
export async function noteUnopened(client: PoolClient, unopened: readonly UnopenedEntry[]): Promise<void> {
  await client.query(
    `insert into unopened_entry (operation_id, idx, recipient, at, released)
     select * from unnest($1::bytea[], $2::bigint[], $3::text[], $4::timestamptz[], $5::boolean[])
     on conflict do nothing`,
    [
      unopened.map(({ operation }) => toBytes(operation)),
      unopened.map(({ index }) => index),
      unopened.map(({ recipient }) => recipient),
      unopened.map(({ at }) => at),
      unopened.map(({ released }) => released),
    ],
  );
}
