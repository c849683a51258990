import type { DatabaseSync } from "node:sqlite";
import { alarmStatements } from "./alarm-statements.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { intentStatements } from "./intent-statements.ts";
import { jobStatements } from "./job-statements.ts";
import { lineStatements } from "./line-statements.ts";
import { openStore } from "./open-store.ts";
import { orderStatements } from "./order-statements.ts";
import { receiptStatements } from "./receipt-statements.ts";

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
