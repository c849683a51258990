import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Pool } from "pg";
import type { Desk } from "../desk.ts";
import type { SignedFile, SignedRoute } from "../releases/signed-routes.ts";

/** `GET /v1/orders` and `GET /v1/orders/{order}`. */
export function orderRoutesForBureaux(desk: Desk): SignedRoute[] {
  return [
    {
      ...{ method: "GET", url: "/v1/orders", use: "requests" },
      handle: async ({ recipient }) => ({ json: await listBureauOrders(desk.pool, recipient) }),
    },
    {
      ...{ method: "GET", url: "/v1/orders/:order", use: "requests" },
      handle: async ({ recipient, params }) => {
        const file = await findOrderFile(desk.pool, desk.folders.orders, { recipient, order: params.order ?? "" });
        return file ?? { refusal: "unknown-job" };
      },
    },
  ];
}

/** Orders of this recipient with jobs still to print (docs/spec/release-protocol.md, section 2). */
async function listBureauOrders(pool: Pool, recipient: string) {
  const { rows } = await pool.query<{ order: string; jobs: number; digest: string; expiresAt: Date }>(
    `select o.id "order", o.jobs, encode(o.file_digest, 'hex') digest, o.expires_at "expiresAt"
     from "order" o
     where o.recipient = $1 and o.state = 'sealed'
       and exists (select 1 from job where order_id = o.id
                   and state in ('sealed', 'reserved', 'logged', 'released', 'uncertain'))
     order by o.created_at, o.id`,
    [recipient],
  );
  return { orders: rows.map((row) => ({ ...row, expiresAt: row.expiresAt.toISOString() })) };
}

/** Where an order's file is and its SHA-256; undefined for an order that is not this recipient's. */
async function findOrderFile(
  pool: Pool,
  folder: string,
  given: { recipient: string; order: string },
): Promise<SignedFile | undefined> {
  if (!/^[0-9a-f-]{36}$/.test(given.order)) return undefined;
  const { rows } = await pool.query<{ name: string; digest: Buffer }>(
    `select file_name name, file_digest digest from "order"
     where id::text = $1 and recipient = $2 and state = 'sealed'`,
    [given.order, given.recipient],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const file = join(folder, row.name);
  return { file, sha256: row.digest, length: (await stat(file)).size };
}
