import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { toBatchId } from "./apply-import.ts";
import { ImportError } from "./import-error.ts";

/** Any number of ours; who holds this lock of PostgreSQL's is the one import that runs. */
const IMPORT_LOCK = 7_401_833;

/** Runs `work` as the only import; throws ImportError `already-running`. */
export async function asOnlyImport<T>(desk: Pick<Desk, "pool">, work: () => Promise<T>): Promise<T> {
  const client = await desk.pool.connect();
  let broken: Error | undefined;
  client.on("error", onError);
  function onError(error: Error): void {
    broken = error;
  }
  try {
    if (!(await tryLock(client))) {
      throw new ImportError("already-running", "Another import is running; wait until it has ended.");
    }
    return await work();
  } finally {
    await client.query("select pg_advisory_unlock($1)", [IMPORT_LOCK]).catch(onError);
    client.off("error", onError);
    client.release(broken);
  }
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) got", [IMPORT_LOCK]);
  return rows[0]?.got === true;
}

/**
 * Finishes what imports that were killed left: one that was still running becomes `abandoned`, and the keyholder is told
 * to keep the roots of those that are done and to drop those of the abandoned. Only for who holds the import lock.
 * A transaction of a dead process that is just committing holds its row, so it is waited for, never overtaken.
 */
export async function settleImports(desk: Pick<Desk, "pool" | "keyholder">): Promise<void> {
  await desk.pool.query("update import set state = 'abandoned', finished_at = now() where state = 'running'");
  const { rows } = await desk.pool.query<{ id: string; state: "done" | "abandoned" }>(
    "select id, state from import where not roots_settled and state <> 'running' order by started_at",
  );
  for (const { id, state } of rows) {
    await desk.keyholder.call(state === "done" ? "roots/confirm" : "roots/abandon", { batchId: toBatchId(id) });
    await desk.pool.query("update import set roots_settled = true where id = $1", [id]);
  }
}

/** At start of the desk: settles what is left, unless an import is at work, which does it itself. */
export async function settleImportsAtStart(desk: Pick<Desk, "pool" | "keyholder">): Promise<void> {
  try {
    await asOnlyImport(desk, () => settleImports(desk));
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
  }
}
