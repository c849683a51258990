import type { DatabaseSync } from "node:sqlite";
import type { Receipt } from "@tipstaff/release-protocol";
import { BureauError } from "../bureau-error.ts";
import { number, optional, type Row, required, text } from "./row.ts";

export type Intent = {
  readonly job: string;
  readonly attempt: number;
  readonly line: string;
  readonly blank: string;
  readonly deviceJob: string;
  readonly at: string;
};

export function intentStatements(database: DatabaseSync) {
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
