import type { Pool } from "pg";
import type { JobState } from "../cards/states.ts";
import type { AskedReceipt } from "./asked-receipt.ts";
import type { ReceiptState } from "./receipt-rules.ts";

export type LoadedReceipt = {
  readonly asked: AskedReceipt;
  readonly state: ReceiptState;
  /** Null when the person was erased: the receipt's entry is then about nobody. */
  readonly person: string | null;
  /** Null for a job that came back from the log alone. */
  readonly card: string | null;
  /** The receipt that stands came back from the log, without its signature. */
  readonly isUnsigned: boolean;
};

type Row = {
  id: string;
  recipient: string;
  order_id: string | null;
  agreement_digest: Buffer | null;
  state: JobState;
  person_id: string | null;
  card_id: string | null;
  receipt_digest: Buffer | null;
  is_unsigned: boolean;
  releases: { attempt: number; state: string; line: string }[] | null;
};

/** What stands about each receipt's job, in the order given. */
export async function loadReceipts(pool: Pool, asked: readonly AskedReceipt[]): Promise<LoadedReceipt[]> {
  const { rows } = await pool.query<Row>({
    name: "receipt-jobs",
    text: `select job.id, job.recipient, coalesce(job.order_id, job.logged_order) order_id, job.state, job.card_id,
        coalesce(o.agreement_digest, job.logged_agreement) agreement_digest,
        case when person.presence = 'erased' then null else person.id end person_id, receipt.digest receipt_digest,
        receipt.job_id is not null and receipt.request is null is_unsigned,
        (select json_agg(json_build_object('attempt', r.attempt, 'state', r.state, 'line', r.line))
         from release r where r.job_id = job.id) releases
      from job left join "order" o on o.id = job.order_id left join person on person.id = job.person_id
      left join receipt on receipt.job_id = job.id where job.id = any($1::uuid[])`,
    values: [asked.map(({ receipt }) => receipt.job)],
  });
  const jobs = new Map(rows.map((row) => [row.id, row]));
  return asked.map((one) => {
    const row = jobs.get(one.receipt.job);
    const { person_id: person = null, card_id: card = null, is_unsigned: isUnsigned = false } = row ?? {};
    return { asked: one, state: toState(one, row), person, card, isUnsigned };
  });
}

function toState({ receipt }: AskedReceipt, row: Row | undefined): ReceiptState {
  if (row === undefined) return { job: undefined, release: undefined };
  // A cancelled attempt may have the same number as the one that came after it.
  const attempts = (row.releases ?? []).filter(({ attempt }) => attempt === receipt.attempt);
  return {
    job: {
      recipient: row.recipient,
      order: row.order_id ?? "",
      agreementDigest: row.agreement_digest?.toString("hex") ?? "",
      state: row.state,
      receiptDigest: row.receipt_digest?.toString("hex") ?? null,
    },
    release: attempts.find(({ state }) => state === "released") ?? attempts[0],
  };
}
