import type { Pool, PoolClient } from "pg";

const SEALING = 7_304_101;

/**
 * Runs `work` while no other process or request seals an order; `busy` when one does. The lock lives on its own
 * connection, so it ends with the process that held it.
 */
export async function whileSealing<T>(
  pool: Pool,
  work: () => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; reason: "busy" }> {
  const client = await pool.connect();
  let broken: Error | undefined;
  client.on("error", (error) => {
    broken = error;
  });
  try {
    if (!(await tryLock(client))) return { ok: false, reason: "busy" };
    return { ok: true, value: await work() };
  } finally {
    await client.query("select pg_advisory_unlock($1)", [SEALING]).catch((error: Error) => {
      broken = error;
    });
    client.removeAllListeners("error");
    client.release(broken);
  }
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) as got", [SEALING]);
  return rows[0]?.got === true;
}
