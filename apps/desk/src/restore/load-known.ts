import { parseAgreement, toLimits } from "@tipstaff/agreement";
import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { PoolClient } from "pg";
import type { Custody, JobState, Validity } from "../cards/states.ts";
import type { Desk } from "../desk.ts";
import { attemptKey, type CardRow, type JobRow, type KnownState, lineKey } from "./known-state.ts";
import type { LogEvent } from "./log-events.ts";

/** What stands in the database about everything that the events name, with jobs, lines and recipients locked in this order. */
export async function loadKnown(
  { keyholder }: Pick<Desk, "keyholder">,
  client: PoolClient,
  events: readonly LogEvent[],
): Promise<KnownState> {
  const jobIds = [...new Set(events.flatMap((event) => ("job" in event && event.job !== "" ? [event.job] : [])))];
  const jobs = await loadJobs(client, jobIds);
  const changed = events.flatMap((event) => (event.kind === "validity-changed" ? [event.card] : []));
  const cards = [...changed, ...[...jobs.values()].flatMap(({ card }) => (card === null ? [] : [card]))];
  const recipients = [...new Set(events.flatMap((event) => ("recipient" in event ? [event.recipient] : [])))];
  const placeless = events.flatMap((event) =>
    event.kind === "release" && event.line === undefined ? [event.job] : [],
  );
  return {
    releases: await loadReleases(client, events),
    jobs,
    cards: await loadCards(client, cards),
    buckets: await loadBuckets(client, recipients),
    lines: await loadLines(client, recipients),
    limits: await loadLimits(client),
    ...(await loadConsents(client)),
    recalledLines: await recallLines(keyholder, [...new Set(placeless)]),
  };
}

type StoredJob = {
  id: string;
  recipient: string;
  card_id: string | null;
  logged_order: string | null;
  logged_agreement: Buffer | null;
  state: JobState;
  attempt: number;
  line: string | null;
  release_operation: Buffer | null;
  released_at: Date | null;
  receipt_at: Date | null;
  scanned_at: Date | null;
  blank: string | null;
  answered: boolean;
};

async function loadJobs(client: PoolClient, ids: readonly string[]): Promise<Map<string, JobRow>> {
  const { rows } = await client.query<StoredJob>(
    `select id, recipient, card_id, logged_order, logged_agreement,
       state, attempt, line, release_operation, released_at, receipt_at, scanned_at, blank,
       exists (select from receipt where receipt.job_id = job.id) answered
     from job where id = any($1::uuid[]) order by id for update`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, toJobRow(row)]));
}

function toJobRow(row: StoredJob): JobRow {
  const { id, recipient, state, attempt, line, blank, answered, card_id: card } = row;
  const logged = { order: row.logged_order ?? "", agreement: row.logged_agreement?.toString("hex") ?? "" };
  return {
    ...{ job: id, recipient, card, state, attempt, line, blank, answered },
    logged: card === null ? logged : undefined,
    releaseOperation: row.release_operation?.toString("hex") ?? null,
    releasedAt: row.released_at?.toISOString() ?? null,
    receiptAt: row.receipt_at?.toISOString() ?? null,
    scannedAt: row.scanned_at?.toISOString() ?? null,
  };
}

async function loadReleases(client: PoolClient, events: readonly LogEvent[]): Promise<Set<string>> {
  const asked = events.flatMap(({ kind, operation }) => (kind === "release" ? [Buffer.from(operation, "hex")] : []));
  const { rows } = await client.query<{ operation: string }>(
    "select encode(operation_id, 'hex') operation from release where operation_id = any($1::bytea[])",
    [asked],
  );
  return new Set(rows.map(({ operation }) => operation));
}

async function loadCards(client: PoolClient, ids: readonly string[]): Promise<Map<string, CardRow>> {
  const { rows } = await client.query<{ id: string; validity: Validity; custody: Custody; reason: string | null }>(
    "select id, validity, custody, revoked_reason reason from card where id = any($1::uuid[]) order by id for update",
    [ids],
  );
  return new Map(
    rows.map(({ id, validity, custody, reason }) => [id, { card: id, validity, custody, revokedReason: reason }]),
  );
}

async function loadBuckets(client: PoolClient, recipients: readonly string[]): Promise<KnownState["buckets"]> {
  const { rows } = await client.query<{ recipient: string; tokens: number; tokens_at: Date }>(
    "select recipient, tokens, tokens_at from recipient_state where recipient = any($1) order by recipient for update",
    [recipients],
  );
  return new Map(rows.map(({ recipient, tokens, tokens_at: at }) => [recipient, { tokens, at }]));
}

async function loadLines(client: PoolClient, recipients: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await client.query<{ recipient: string; line: string; chain: Buffer }>(
    "select recipient, line, chain from line where recipient = any($1) order by recipient, line for update",
    [recipients],
  );
  return new Map(rows.map(({ recipient, line, chain }) => [lineKey(recipient, line), chain.toString("hex")]));
}

/** Of agreements that were replaced, too: their orders were printed until then. */
async function loadLimits(client: PoolClient): Promise<KnownState["limits"]> {
  const { rows } = await client.query<{ digest: Buffer; bytes: Buffer }>("select digest, bytes from agreement");
  return new Map(
    rows.flatMap(({ digest, bytes }) => {
      const parsed = parseAgreement(bytes, { fileName: "agreement" });
      if (!parsed.ok || parsed.agreement.limits === undefined) return [];
      return [[digest.toString("hex"), toLimits(parsed.agreement)] as const];
    }),
  );
}

async function loadConsents(client: PoolClient) {
  const restarts = await client.query<{ id: string }>("select id from line_restart where confirmed_at is not null");
  const holds = await client.query<{ id: string; lifted: boolean }>(
    "select id, lifted_at is not null lifted from hold",
  );
  const runs = await client.query<{ id: string }>("select id from run where state = 'open'");
  const approvals = await client.query<{ job_id: string; attempt: number }>(
    "select job_id, attempt from attempt_approval",
  );
  return {
    restarts: new Set(restarts.rows.map(({ id }) => id)),
    holds: new Map(holds.rows.map(({ id, lifted }) => [id, lifted])),
    openRuns: new Set(runs.rows.map(({ id }) => id)),
    approvals: new Set(approvals.rows.map(({ job_id: job, attempt }) => attemptKey(job, attempt))),
  };
}

/** For releases whose entry does not say its line: where the keyholder released the job to. */
async function recallLines(keyholder: Desk["keyholder"], jobs: readonly string[]): Promise<Map<string, string>> {
  const lines = new Map<string, string>();
  for (let start = 0; start < jobs.length; start += KEYHOLDER_BATCH) {
    const batch = jobs.slice(start, start + KEYHOLDER_BATCH);
    const { jobs: recalled } = await keyholder.call("jobs/recall", { jobs: batch });
    for (const [at, job] of batch.entries()) {
      const line = recalled[at]?.line;
      if (line !== undefined) lines.set(job, line);
    }
  }
  return lines;
}
