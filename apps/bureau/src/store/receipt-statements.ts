import type { DatabaseSync } from "node:sqlite";
import { type Receipt, receiptSchema } from "@tipstaff/release-protocol";
import { number, text } from "./row.ts";

export type ReceiptState = "waiting" | "accepted" | "refused";
/** `since`: made then or later. */
export type ReceiptFilter = { readonly since?: Date | undefined; readonly order?: string | undefined };

export function receiptStatements(database: DatabaseSync) {
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
