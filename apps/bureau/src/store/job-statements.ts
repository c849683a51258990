import type { DatabaseSync } from "node:sqlite";
import { isRefusalCode } from "@tipstaff/release-protocol";
import { z } from "zod";
import { BureauError } from "../bureau-error.ts";
import type { JobCode, JobRecord, JobState } from "../lines/line-state.ts";
import { maybeText, number, optional, type Row, required, text } from "./row.ts";

/** Where a job's ciphertext lies, and what it is bound to. */
export type SealedPlace = {
  readonly offset: number;
  readonly length: number;
  readonly digest: string;
  readonly templateDigest: string;
  readonly categories: readonly string[];
};

const JOB_STATES: readonly JobState[] = [
  "fetched",
  "requesting",
  "intent",
  "uncertain",
  "produced",
  "spoiled",
  "refused",
];

export function jobStatements(database: DatabaseSync) {
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
