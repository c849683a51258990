import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Desk } from "../desk.ts";
import { orderFilePaths } from "./order-file.ts";
import { whileSealing } from "./order-lock.ts";

/** Clears away what a killed process left of an order; none of its cards or jobs was ever visible. */
export async function removeHalfOrders(desk: Pick<Desk, "pool" | "folders" | "log">): Promise<void> {
  const answer = await whileSealing(desk.pool, async () => {
    const { rows } = await desk.pool.query<{ id: string }>(`select id from "order" where state = 'sealing'`);
    for (const { id } of rows) {
      await rm(orderFilePaths(desk.folders.orders, id).finished, { force: true });
      await desk.pool.query(`delete from "order" where id = $1 and state = 'sealing'`, [id]);
      desk.log.warn({ order: id }, "a half order was removed");
    }
    for (const name of await readdir(desk.folders.orders)) {
      if (name.endsWith(".part")) await rm(join(desk.folders.orders, name), { force: true });
    }
  });
  if (!answer.ok) desk.log.info("another process seals an order; nothing of it is touched");
}
