import type { PoolClient } from "pg";

/** What PostgreSQL answers to a statement that follows a failed one in the same transaction. */
const IN_FAILED_TRANSACTION = "25P02";

/**
 * Sends the statements that these make in one go; they run in that order, and none waits for another's rows. Where one
 * throws instead of making its statement, none is made after it. When it rejects, all that were made have ended, so that
 * none comes after the rollback; and it rejects with what failed first, not with what failed because of it.
 */
export function oneTrip<T extends readonly unknown[]>(
  client: PoolClient,
  makers: readonly [...{ [K in keyof T]: () => Promise<T[K]> }],
): Promise<{ -readonly [K in keyof T]: T[K] }>;
export async function oneTrip(client: PoolClient, makers: readonly Maker[]): Promise<readonly unknown[]> {
  const ended = await Promise.allSettled(corked(client, () => makeEach(makers)));
  const failures = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (failures.length > 0) throw failures.find((failure) => !isConsequence(failure)) ?? failures[0];
  return ended.map((one) => (one.status === "fulfilled" ? one.value : undefined));
}

type Maker = () => Promise<unknown>;

function makeEach(makers: readonly Maker[]): readonly Promise<unknown>[] {
  const made: Promise<unknown>[] = [];
  for (const make of makers) {
    try {
      made.push(make());
    } catch (thrown) {
      return [...made, Promise.reject(thrown)];
    }
  }
  return made;
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
