import type { PoolClient } from "pg";

/** What PostgreSQL answers to a statement that follows a failed one in the same transaction. */
const IN_FAILED_TRANSACTION = "25P02";

/**
 * Sends the statements that `give` makes in one go; they run in that order, and none waits for another's rows. When it
 * rejects, all have ended, so that none comes after the rollback; and it rejects with what failed first, not with what
 * failed because of it.
 */
export async function oneTrip<T extends readonly unknown[]>(
  client: PoolClient,
  give: () => readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<{ -readonly [K in keyof T]: T[K] }> {
  const statements = corked(client, give);
  const ended = await Promise.allSettled(statements);
  const failures = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (failures.length > 0) throw failures.find((failure) => !isConsequence(failure)) ?? failures[0];
  return Promise.all(statements);
}

/** Each write wakes the server: corked, they are one. */
function corked<T>({ connection: { stream } }: PoolClient, write: () => T): T {
  stream.cork();
  try {
    return write();
  } finally {
    stream.uncork();
  }
}

function isConsequence(failure: unknown): boolean {
  return failure instanceof Error && "code" in failure && failure.code === IN_FAILED_TRANSACTION;
}
