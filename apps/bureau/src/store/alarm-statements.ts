import type { DatabaseSync } from "node:sqlite";
import { maybeText, number, text } from "./row.ts";

export type Alarm = { readonly kind: string; readonly line?: string | undefined; readonly job?: string | undefined };

export function alarmStatements(database: DatabaseSync) {
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
