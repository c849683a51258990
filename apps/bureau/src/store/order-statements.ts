import type { DatabaseSync } from "node:sqlite";
import type { OrderManifest } from "@tipstaff/release-protocol";
import { number, optional, type Row, text } from "./row.ts";

export type OrderRecord = {
  readonly order: string;
  readonly digest: string;
  readonly agreement: string;
  readonly force: string;
  readonly file: string;
  readonly dataOffset: number;
  readonly expiresAt: string;
};

export function orderStatements(database: DatabaseSync) {
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
