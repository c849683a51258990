import { chainStart } from "@tipstaff/release-protocol";
import { parseJobContext } from "@tipstaff/sealing";
import type { PoolClient } from "pg";
import type { JobState } from "../cards/states.ts";
import { oneTrip } from "../entries/one-trip.ts";
import { DeskError } from "../server/desk-error.ts";
import type { AskedRelease } from "./asked-release.ts";
import type { AgreementInUse, LineState, ReleasableJob, ReleaseRun } from "./decide-release.ts";
import type { TokenBucket } from "./token-bucket.ts";

/** What stands in the database about a batch of requests of one recipient, locked until the transaction ends. */
export type BatchState = {
  bucket: TokenBucket;
  unaccounted: number;
  held: boolean;
  /** Requests that were reserved before, by identity. */
  readonly known: ReadonlySet<string>;
  readonly agreements: ReadonlyMap<string, AgreementInUse>;
  readonly jobs: Map<string, ReleasableJob>;
  /** Jobs, or their people, that another transaction is changing at this moment. */
  readonly busy: ReadonlySet<string>;
  readonly counts: ReadonlyMap<string, number>;
  readonly runs: ReadonlyMap<string, Omit<ReleaseRun, "hasJob"> & { readonly jobs: ReadonlySet<string> }>;
  readonly lines: Map<string, LineState>;
  /** Of all lines that the recipient ever used. */
  lineCount: number;
};

/** Loads and locks; the recipient's row comes first, so that all writers of one recipient take turns. */
export async function loadReleaseState(
  client: PoolClient,
  batch: {
    readonly recipient: string;
    readonly asked: readonly AskedRelease[];
    readonly agreements: ReadonlyMap<string, AgreementInUse>;
  },
): Promise<BatchState> {
  const { recipient, asked } = batch;
  const jobIds = [...new Set(asked.map(({ request }) => request.job))];
  const runIds = [...new Set(asked.map(({ request }) => request.run))];
  const lineNames = [...new Set(asked.map(({ request }) => request.line))];
  const [counters, jobs, held, known, agreements, runs, lines, lineCount] = await oneTrip(client, [
    () => lockRecipient(client, recipient),
    () => loadJobs(client, { recipient, jobIds }),
    () => isHeld(client, recipient),
    () => findKnown(client, asked),
    () => activeOf(client, batch.agreements),
    () => loadRuns(client, { jobIds, runIds }),
    () => lockLines(client, { recipient, lines: lineNames }),
    () => countLines(client, recipient),
  ]);
  return { ...counters, ...jobs, held, known, agreements, runs, lines, lineCount };
}

async function lockRecipient(client: PoolClient, recipient: string) {
  // A bucket of infinitely many tokens is a full one: how much it holds, the agreement says.
  const [, { rows }] = await oneTrip(client, [
    () =>
      client.query({
        name: "recipient-first",
        text: "insert into recipient_state (recipient, tokens, tokens_at) values ($1, 'Infinity', now()) on conflict do nothing",
        values: [recipient],
      }),
    () =>
      client.query<{ tokens: number; tokens_at: Date; unaccounted: number }>({
        name: "recipient-lock",
        text: "select tokens, tokens_at, unaccounted from recipient_state where recipient = $1 for update",
        values: [recipient],
      }),
  ]);
  const [row] = rows;
  if (row === undefined) throw new DeskError("broken-invariant", "A recipient's counters disappeared");
  return { unaccounted: row.unaccounted, bucket: { tokens: row.tokens, at: row.tokens_at } };
}

type JobRow = {
  id: string;
  person_id: string;
  recipient: string;
  order_id: string;
  order_expires_at: Date;
  agreement_digest: Buffer;
  state: JobState;
  attempt: number;
  line: string | null;
  context: Buffer;
  has_key: boolean;
  record_version: number;
  has_receipt: boolean;
  approved: number[];
};

type Asked = { readonly recipient: string; readonly jobIds: readonly string[] };

async function loadJobs(client: PoolClient, asked: Asked) {
  const [{ rows }, people] = await oneTrip(client, [() => lockJobs(client, asked), () => lockPeople(client, asked)]);
  const records = new Map(people.rows.map((row) => [row.id, row]));
  const jobs = new Map<string, ReleasableJob>();
  const locked = new Set<string>();
  for (const row of rows) {
    const person = records.get(row.person_id);
    if (person === undefined) continue;
    locked.add(row.id);
    jobs.set(row.id, toJob(row, person.presence === "erased" ? null : person.record_version));
  }
  const busy = await findBusy(client, { ...asked, jobIds: asked.jobIds.filter((id) => !locked.has(id)) });
  return { jobs, busy, counts: new Map(people.rows.map((row) => [row.id, Number(row.tag_n)])) };
}

/** Skipped, not waited for: others lock a person, then jobs, then a recipient; this one has the recipient already. */
function lockJobs(client: PoolClient, { recipient, jobIds }: Asked) {
  return client.query<JobRow>({
    name: "release-jobs",
    text: `select job.id, job.person_id, job.recipient, job.order_id, o.expires_at order_expires_at, o.agreement_digest,
        job.state, job.attempt, job.line, job.context, job.wrapped is not null has_key, job.record_version,
        exists (select from receipt where receipt.job_id = job.id) has_receipt,
        array(select attempt from attempt_approval a where a.job_id = job.id) approved
      from job join "order" o on o.id = job.order_id
      where job.id = any($1::uuid[]) and job.recipient = $2 for update of job skip locked`,
    values: [jobIds, recipient],
  });
}

function lockPeople(client: PoolClient, { recipient, jobIds }: Asked) {
  return client.query<{ id: string; tag_n: string; record_version: number; presence: string }>({
    name: "release-people",
    text: `select id, tag_n, record_version, presence from person
      where id in (select person_id from job where id = any($1::uuid[]) and recipient = $2)
      for no key update skip locked`,
    values: [jobIds, recipient],
  });
}

async function findBusy(client: PoolClient, { recipient, jobIds }: Asked): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set<string>();
  const { rows } = await client.query<{ id: string }>(
    "select id from job where id = any($1::uuid[]) and recipient = $2 and order_id is not null",
    [jobIds, recipient],
  );
  return new Set(rows.map((row) => row.id));
}

function toJob(row: JobRow, recordVersion: number | null): ReleasableJob {
  return {
    recipient: row.recipient,
    order: row.order_id,
    orderExpiresAt: row.order_expires_at,
    agreementDigest: row.agreement_digest.toString("hex"),
    state: row.state,
    attempt: row.attempt,
    line: row.line,
    hasKey: row.has_key,
    sealedRecordVersion: row.record_version,
    recordVersion,
    categories: parseJobContext(row.context).categories,
    hasReceipt: row.has_receipt,
    attemptApproved: row.approved.includes(row.attempt + 1),
  };
}

/** A restore that is not dealt with holds everybody, also by a desk that ran on while the database came back. */
async function isHeld(client: PoolClient, recipient: string): Promise<boolean> {
  const { rows } = await client.query({
    name: "recipient-held",
    text: `select where exists (select from hold where recipient = $1 and lifted_at is null)
        or exists (select from ledger.restore where settled_at is null)`,
    values: [recipient],
  });
  return rows.length > 0;
}

async function findKnown(client: PoolClient, asked: readonly AskedRelease[]): Promise<Set<string>> {
  const { rows } = await client.query<{ identity: Buffer }>({
    name: "release-known",
    text: "select identity from release where identity = any($1::bytea[])",
    values: [asked.map(({ identity }) => Buffer.from(identity, "hex"))],
  });
  return new Set(rows.map(({ identity }) => identity.toString("hex")));
}

/** Those of the agreements read before that are active at this very moment. */
async function activeOf(client: PoolClient, read: ReadonlyMap<string, AgreementInUse>) {
  const { rows } = await client.query<{ digest: Buffer }>({
    name: "agreements-active",
    text: "select digest from agreement where superseded_at is null",
  });
  const active = new Map<string, AgreementInUse>();
  for (const { digest } of rows) {
    const agreement = read.get(digest.toString("hex"));
    if (agreement !== undefined) active.set(agreement.digest, agreement);
  }
  return active;
}

async function loadRuns(client: PoolClient, { runIds, jobIds }: { runIds: string[]; jobIds: string[] }) {
  const { rows } = await client.query<{
    id: string;
    recipient: string;
    order_id: string;
    state: string;
    until: Date;
    jobs: string[];
  }>({
    name: "release-runs",
    text: `select id, recipient, order_id, state, until,
        array(select job_id::text from run_job where run_id = run.id and job_id = any($2::uuid[])) jobs
      from run where id = any($1::uuid[]) for share`,
    values: [runIds, jobIds],
  });
  return new Map(
    rows.map((row) => {
      const { recipient, until } = row;
      return [row.id, { recipient, until, order: row.order_id, open: row.state === "open", jobs: new Set(row.jobs) }];
    }),
  );
}

async function lockLines(client: PoolClient, { recipient, lines }: { recipient: string; lines: string[] }) {
  const { rows } = await client.query<{ line: string; chain: Buffer; open: number }>({
    name: "release-line-states",
    text: "select line, chain, open from line where recipient = $1 and line = any($2::text[]) order by line for update",
    values: [recipient, lines],
  });
  const known = new Map(rows.map(({ line, chain, open }) => [line, { chain: toHex(chain), open, pinned: true }]));
  return new Map(
    lines.map((line) => {
      const unused = { chain: toHex(chainStart(recipient, line)), open: 0, pinned: false };
      return [line, known.get(line) ?? unused];
    }),
  );
}

async function countLines(client: PoolClient, recipient: string): Promise<number> {
  const { rows } = await client.query<{ lines: number }>({
    name: "release-line-count",
    text: "select count(*)::int lines from line where recipient = $1",
    values: [recipient],
  });
  return rows[0]?.lines ?? 0;
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
