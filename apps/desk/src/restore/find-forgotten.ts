import type { LoggedRelease, Place } from "./log-events.ts";
import type { ReadLog, UnopenedEntry } from "./read-log.ts";

/** A release that the log has and the database had not, as its entry says it. */
export type ForgottenRelease = Place & Pick<LoggedRelease, "recipient" | "order" | "job" | "attempt" | "at">;

/** What the ledger has and the database's own tables had not, by index. */
export type Forgotten = {
  readonly released: readonly ForgottenRelease[];
  /** Releases of which the keyholder kept no decision: it has signed their cancellation since. */
  readonly undecided: readonly ForgottenRelease[];
  readonly unopened: readonly (Place & Pick<UnopenedEntry, "released">)[];
};

/** What people are told of, out of what came back. */
export function findForgotten({ events, unopened }: ReadLog): Forgotten {
  const shut = new Set(unopened.map(({ operation }) => operation));
  const releases = events.flatMap((event) => (event.kind === "release" && !shut.has(event.operation) ? [event] : []));
  return {
    released: releases.filter(({ outcome }) => outcome === "released").map(toForgotten),
    undecided: releases.filter(({ outcome }) => outcome === undefined).map(toForgotten),
    unopened: unopened.map(({ index, operation, released }) => ({ index, operation, released })),
  };
}

function toForgotten({ index, operation, recipient, order, job, attempt, at }: LoggedRelease): ForgottenRelease {
  return { index, operation, recipient, order, job, attempt, at };
}
