import type { Pool, PoolClient } from "pg";
import { appendIntake, assertRow, type IntakeResult, type IntakeRow, MAX_INTAKE_ROWS } from "./intake.ts";

/** A shared door to the intake. */
export type Intake = {
  /**
   * Answers once the row is committed: what `appendIntake` answers for it. Rejects where the commit failed or its outcome
   * is not known; the same row may then be appended again, and is in the log at most once. Rejects with `entry-invalid` or
   * `leaf-malformed` as `appendIntake` does, and the others of the same commit are untouched.
   */
  readonly append: (row: IntakeRow) => Promise<IntakeResult>;
};

type Call = {
  readonly row: IntakeRow;
  readonly done: (result: IntakeResult) => void;
  readonly failed: (error: unknown) => void;
};

/**
 * A door to the intake for those who have no transaction of their own: all who append while a commit is under way share
 * the next one. Holds one connection of the pool at most. `onCommitted` is told after each commit (`sequencer.wake`).
 */
export const createIntake = ({ pool, onCommitted }: { pool: Pool; onCommitted?: () => void }): Intake => {
  const queue: Call[] = [];
  let running = false;
  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      // Lets everybody in who appends in this same turn.
      await new Promise((resolve) => setImmediate(resolve));
      await settle(pool, queue.splice(0, MAX_INTAKE_ROWS));
      onCommitted?.();
    }
    running = false;
  };
  return {
    append: (row) =>
      new Promise((done, failed) => {
        assertRow(row);
        queue.push({ row, done, failed });
        if (running) return;
        running = true;
        void drain();
      }),
  };
};

const settle = async (pool: Pool, calls: readonly Call[]): Promise<void> => {
  try {
    // In one order everywhere, so that two processes that append the same rows cannot lock each other out.
    const ordered = calls.toSorted((a, b) => Buffer.compare(a.row.operationId, b.row.operationId));
    const results = await commitRows(
      pool,
      ordered.map(({ row }) => row),
    );
    for (const [at, { done, failed }] of ordered.entries()) {
      const result = results[at];
      if (result) done(result);
      else failed(new RangeError("the intake answered fewer rows than it was given"));
    }
  } catch (error) {
    for (const { failed } of calls) failed(error);
  }
};

/** Appends the rows in one transaction of their own. Rejects where the commit failed or its outcome is not known. */
export const commitRows = async (pool: Pool, rows: readonly IntakeRow[]): Promise<readonly IntakeResult[]> => {
  const client: PoolClient = await pool.connect();
  // A session that is cut tells its query as well; without a listener it would end the process.
  const ignore = (): void => undefined;
  client.on("error", ignore);
  try {
    await client.query("begin");
    const results = await appendIntake(client, rows);
    await client.query("commit");
    client.off("error", ignore);
    client.release();
    return results;
  } catch (error) {
    client.release(true);
    throw error;
  }
};
