import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { isRefusalCode, type OrderManifest, type Receipt, receiptSchema } from "@tipstaff/release-protocol";
import { z } from "zod";
import { BureauError } from "../bureau-error.ts";
import type { Flight, JobCode, JobRecord, JobState, LineState } from "../lines/line-state.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { openStore } from "./open-store.ts";

type Row = Record<string, SQLOutputValue>;

/** Where a job's ciphertext lies, and what it is bound to. */
export type SealedPlace = {
  readonly offset: number;
  readonly length: number;
  readonly digest: string;
  readonly templateDigest: string;
  readonly categories: readonly string[];
};
export type OrderRecord = {
  readonly order: string;
  readonly digest: string;
  readonly agreement: string;
  readonly force: string;
  readonly file: string;
  readonly dataOffset: number;
  readonly expiresAt: string;
};
export type Intent = {
  readonly job: string;
  readonly attempt: number;
  readonly line: string;
  readonly blank: string;
  readonly deviceJob: string;
  readonly at: string;
};
export type ReceiptState = "waiting" | "accepted" | "refused";
/** `since`: made then or later. */
export type ReceiptFilter = { readonly since?: Date | undefined; readonly order?: string | undefined };
export type Alarm = { readonly kind: string; readonly line?: string | undefined; readonly job?: string | undefined };

/** Statements of the bureau's store. Everything but `write` reads; setters are called inside `write`'s work only. */
export type Store = ReturnType<typeof createStoreFace>;

export function openBureauStore(file: string): Store {
  const database = openStore(file);
  return createStoreFace(database, createGroupCommit(database));
}

function createStoreFace(database: DatabaseSync, group: GroupCommit) {
  return {
    write: group.write,
    close: () => {
      group.close();
      database.close();
    },
    ...lineStatements(database),
    ...jobStatements(database),
    ...orderStatements(database),
    ...intentStatements(database),
    ...receiptStatements(database),
    ...alarmStatements(database),
  };
}

const flightSchema = z.strictObject({
  job: z.string(),
  order: z.string(),
  run: z.string(),
  agreement: z.string(),
  attempt: z.int(),
  previous: z.string(),
  identity: z.string(),
});

function lineStatements(database: DatabaseSync) {
  const one = database.prepare("select * from lines where line = ?");
  const all = database.prepare("select * from lines order by line");
  const set = database.prepare("update lines set chain = ?, flight = ?, stopped = ? where line = ?");
  return {
    lines: (): LineState[] => all.all().map(toLine),
    line: (line: string): LineState => toLine(required(one.get(line), "line")),
    setLine: (state: LineState): void => {
      const flight = state.flight === undefined ? null : JSON.stringify(state.flight);
      set.run(state.chain, flight, state.stopped ?? null, state.line);
    },
  };
}

function toLine(row: Row): LineState {
  const flight: Flight | undefined =
    typeof row.flight === "string" ? flightSchema.parse(JSON.parse(row.flight)) : undefined;
  const stopped = row.stopped === null ? undefined : "line-forked";
  return { line: text(row, "line"), chain: text(row, "chain"), flight, stopped };
}

const JOB_STATES: readonly JobState[] = [
  "fetched",
  "requesting",
  "intent",
  "uncertain",
  "produced",
  "spoiled",
  "refused",
];

function jobStatements(database: DatabaseSync) {
  const one = database.prepare("select * from jobs where job = ?");
  const onLine = database.prepare("select * from jobs where line = ? and state in ('fetched', 'refused')");
  const set = database.prepare("update jobs set state = ?, code = ?, attempts = ?, line = ? where job = ?");
  const counts = database.prepare("select state, code, count(*) as n from jobs group by state, code");
  const open = database.prepare(
    `select (select count(*) from jobs where line = ? and state in ('intent', 'uncertain')) as unknown,
            (select count(*) from receipts where line = ? and state = 'waiting') as waiting`,
  );
  return {
    job: (job: string): JobRecord | undefined => optional(one.get(job), toJob),
    sealedPlace: (job: string): SealedPlace => toSealedPlace(required(one.get(job), "job")),
    /** Jobs bound to this line by an attempt that the force accepted. */
    jobsOnLine: (line: string): JobRecord[] => onLine.all(line).map(toJob),
    setJob: (job: JobRecord): void => {
      set.run(job.state, job.code ?? null, job.attempts, job.line ?? null, job.job);
    },
    jobCounts: (): { state: JobState; code: string | undefined; n: number }[] =>
      counts.all().map((row) => ({ state: toState(row), code: maybeText(row, "code"), n: number(row, "n") })),
    /** Released on this line and not answered: `unknown` wait for an outcome, `waiting` for the desk's acceptance. */
    openOn: (line: string): { unknown: number; waiting: number } => {
      const row = required(open.get(line, line), "count");
      return { unknown: number(row, "unknown"), waiting: number(row, "waiting") };
    },
  };
}

function toState(row: Row): JobState {
  const state = JOB_STATES.find((known) => known === row.state);
  if (state === undefined) throw new BureauError("damaged", "A job in the store has no known state");
  return state;
}

function toCode(code: string | undefined): JobCode | undefined {
  if (code === undefined || code === "line-forked" || code === "damaged" || isRefusalCode(code)) return code;
  throw new BureauError("damaged", "A job in the store has no known refusal code");
}

const toJob = (row: Row): JobRecord => ({
  job: text(row, "job"),
  order: text(row, "order_id"),
  state: toState(row),
  code: toCode(maybeText(row, "code")),
  attempts: number(row, "attempts"),
  line: maybeText(row, "line"),
});

const toSealedPlace = (row: Row): SealedPlace => ({
  offset: number(row, "offset"),
  length: number(row, "length"),
  digest: text(row, "digest"),
  templateDigest: text(row, "template_digest"),
  categories: z.array(z.string()).parse(JSON.parse(text(row, "categories"))),
});

function orderStatements(database: DatabaseSync) {
  const one = database.prepare("select * from orders where id = ?");
  const all = database.prepare(
    "select orders.*, (select count(*) from jobs where order_id = orders.id) as jobs from orders order by fetched_at",
  );
  const insert = database.prepare("insert into orders values (?, ?, ?, ?, ?, ?, ?, ?)");
  const insertJob = database.prepare(
    `insert into jobs (job, order_id, state, offset, length, digest, template_digest, categories)
     values (?, ?, 'fetched', ?, ?, ?, ?, ?)`,
  );
  return {
    order: (order: string): OrderRecord | undefined => optional(one.get(order), toOrder),
    orders: (): (OrderRecord & { jobs: number })[] =>
      all.all().map((row) => ({ ...toOrder(row), jobs: number(row, "jobs") })),
    insertOrder: (order: OrderRecord, jobs: OrderManifest["jobs"], at: string): void => {
      const { digest, agreement, force, file, dataOffset, expiresAt } = order;
      insert.run(order.order, digest, agreement, force, file, dataOffset, expiresAt, at);
      for (const { job, offset, length, digest: sealed, templateDigest, categories } of jobs) {
        insertJob.run(job, order.order, offset, length, sealed, templateDigest, JSON.stringify(categories));
      }
    },
  };
}

const toOrder = (row: Row): OrderRecord => ({
  order: text(row, "id"),
  digest: text(row, "digest"),
  agreement: text(row, "agreement"),
  force: text(row, "force"),
  file: text(row, "file"),
  dataOffset: number(row, "data_offset"),
  expiresAt: text(row, "expires_at"),
});

function intentStatements(database: DatabaseSync) {
  const nextBlank = database.prepare(
    "update meta set value = cast(cast(value as integer) + 1 as text) where key = 'blanks' returning value",
  );
  const raiseBlank = database.prepare(
    "update meta set value = cast(? as text) where key = 'blanks' and cast(value as integer) < ?",
  );
  const insert = database.prepare(
    "insert into intents (job, attempt, line, blank, device_job, at) values (?, ?, ?, ?, ?, ?)",
  );
  const decide = database.prepare(
    "update intents set result = ?, reason = ?, resolved = ?, decided_at = ? where job = ? and attempt = ? and result is null",
  );
  const undecided = database.prepare("select * from intents where result is null order by at");
  const ofJob = database.prepare("select * from intents where job = ? and result is null");
  return {
    /** A stack never goes back, although a copy of the store may: the next blank is none of those up to this one. */
    raiseBlanks: (number: number): void => {
      raiseBlank.run(number, number);
    },
    /** The number of the next blank of the stack. */
    takeBlank: (): number => Number(text(required(nextBlank.get(), "blank"), "value")),
    insertIntent: ({ job, attempt, line, blank, deviceJob, at }: Intent): void => {
      insert.run(job, attempt, line, blank, deviceJob, at);
    },
    decideIntent: (intent: Intent, receipt: Receipt): void => {
      const { result, reason, resolved, at } = receipt;
      const { changes } = decide.run(result, reason ?? null, resolved ?? null, at, intent.job, intent.attempt);
      if (changes !== 1) throw new BureauError("damaged", "An intent has an outcome already");
    },
    undecidedIntents: (): Intent[] => undecided.all().map(toIntent),
    undecidedIntent: (job: string): Intent | undefined => optional(ofJob.get(job), toIntent),
  };
}

const toIntent = (row: Row): Intent => ({
  job: text(row, "job"),
  attempt: number(row, "attempt"),
  line: text(row, "line"),
  blank: text(row, "blank"),
  deviceJob: text(row, "device_job"),
  at: text(row, "at"),
});

function receiptStatements(database: DatabaseSync) {
  const insert = database.prepare("insert into receipts (job, line, body, state, at) values (?, ?, ?, 'waiting', ?)");
  const set = database.prepare("update receipts set state = ? where job = ?");
  const waiting = database.prepare("select body from receipts where state = 'waiting' order by at");
  const accepted = database.prepare(
    `select body from receipts join jobs using (job)
     where receipts.state = 'accepted' and at >= ? and order_id = coalesce(?, order_id) and job > ? order by job limit 64`,
  );
  const counts = database.prepare("select state, count(*) as n from receipts group by state");
  return {
    /** The receipt's exact body stands in the store with the outcome, so that it is sent the same each time. */
    insertReceipt: (receipt: Receipt): void => {
      insert.run(receipt.job, receipt.line, JSON.stringify(receipt), receipt.at);
    },
    setReceipt: (job: string, state: ReceiptState): void => {
      set.run(state, job);
    },
    waitingReceipts: (): Receipt[] => waiting.all().map((row) => receiptSchema.parse(JSON.parse(text(row, "body")))),
    /** Those that the force acknowledged, some tens at a time: the next ones after a job. */
    acceptedReceipts: ({ since, order }: ReceiptFilter, after: string): Receipt[] =>
      accepted
        .all(since?.toISOString() ?? "", order ?? null, after)
        .map((row) => receiptSchema.parse(JSON.parse(text(row, "body")))),
    receiptCounts: (): Record<ReceiptState, number> => {
      const found = { waiting: 0, accepted: 0, refused: 0 };
      for (const row of counts.all()) Object.assign(found, { [text(row, "state")]: number(row, "n") });
      return found;
    },
  };
}

function alarmStatements(database: DatabaseSync) {
  const insert = database.prepare("insert into alarms (at, kind, line, job) values (?, ?, ?, ?)");
  const after = database.prepare("select * from alarms where id > ? order by id limit 1000");
  return {
    insertAlarm: (at: Date, { kind, line, job }: Alarm): void => {
      insert.run(at.toISOString(), kind, line ?? null, job ?? null);
    },
    alarms: (sinceId = 0) =>
      after.all(sinceId).map((row) => ({
        id: number(row, "id"),
        at: text(row, "at"),
        kind: text(row, "kind"),
        line: maybeText(row, "line"),
        job: maybeText(row, "job"),
      })),
  };
}

function optional<T>(row: Row | undefined, convert: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : convert(row);
}

function required(row: Row | undefined, what: string): Row {
  if (row === undefined) throw new BureauError("damaged", `The store has no such ${what}`);
  return row;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new BureauError("damaged", `${column} in the store is no text`);
  return value;
}

function maybeText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new BureauError("damaged", `${column} in the store is no number`);
  return value;
}
