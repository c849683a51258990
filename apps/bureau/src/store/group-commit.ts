import type { DatabaseSync } from "node:sqlite";
import { BureauError } from "../bureau-error.ts";

/** One commit is synced to disk for all lines that wait; the next begins no sooner than this after the last, in ms. */
const SHORTEST_PAUSE_MS = 4;

type Waiting = { work: () => unknown; resolve: (value: unknown) => void; reject: (cause: unknown) => void };

export type GroupCommit = {
  /** Runs `work` inside a transaction shared with whoever writes now; resolves when it is durable. */
  readonly write: <T>(work: () => T) => Promise<T>;
  /** Commits what waits; afterwards every write is refused. */
  readonly close: () => void;
};

/** Shares commits between lines: a sync costs milliseconds, and sixty-four lines would each wait for their own. */
export function createGroupCommit(database: DatabaseSync): GroupCommit {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lastEnd = 0;
  let lastTook = 0;
  let isClosed = false;

  const flush = (): void => {
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const begun = performance.now();
    commitBatch(database, batch);
    lastEnd = performance.now();
    lastTook = lastEnd - begun;
  };
  const plan = (): void => {
    // Two thirds of the time at least are left to the event loop, however slow the disk is.
    const rest = lastEnd + Math.max(SHORTEST_PAUSE_MS, 2 * lastTook) - performance.now();
    timer ??= setTimeout(flush, Math.max(0, rest));
  };
  return {
    write: <T>(work: () => T): Promise<T> => {
      if (isClosed) return Promise.reject(new BureauError("closed", "The bureau is shutting down"));
      return new Promise<T>((resolve, reject) => {
        let value: T;
        const entry: Waiting = {
          work: () => {
            value = work();
          },
          resolve: () => resolve(value),
          reject,
        };
        waiting.push(entry);
        plan();
      });
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      flush();
    },
  };
}

function commitBatch(database: DatabaseSync, batch: readonly Waiting[]): void {
  try {
    inTransaction(database, batch);
  } catch (cause) {
    if (batch.length === 1) batch[0]?.reject(cause);
    // One that fails must not take the others with it: each is done again by itself.
    else for (const entry of batch) commitBatch(database, [entry]);
  }
}

function inTransaction(database: DatabaseSync, batch: readonly Waiting[]): void {
  database.exec("begin immediate");
  try {
    for (const { work } of batch) work();
    database.exec("commit");
  } catch (cause) {
    if (database.isTransaction) database.exec("rollback");
    throw cause;
  }
  for (const { resolve } of batch) resolve(undefined);
}
