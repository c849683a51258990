import { createFolderStorage } from "@tipstaff/ledger/folder";
import { Pool } from "pg";
import { demandDatabase } from "../services/demand-running.ts";
import { originOf } from "../services/home.ts";
import { deskDatabaseUrl } from "../services/installation.ts";
import type { Context } from "./context.ts";

/** Works on the installation's own log: its database, its folders, its key. */
export async function withLedger<T>(
  context: Context,
  work: (log: ReturnType<typeof openLedger> & { readonly pool: Pool }) => Promise<T>,
): Promise<T> {
  const log = openLedger(context);
  await demandDatabase(context.home);
  const pool = new Pool({ connectionString: deskDatabaseUrl(context.home), max: 2, connectionTimeoutMillis: 10_000 });
  pool.on("error", () => undefined);
  try {
    return await work({ ...log, pool });
  } finally {
    await pool.end();
  }
}

function openLedger({ home, settings }: Context) {
  const own = settings();
  return {
    origin: originOf(own),
    logVerifierKey: own.logVerifierKey,
    tiles: createFolderStorage(home.tiles),
    openings: createFolderStorage(home.openings),
  };
}
