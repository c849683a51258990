import { setTimeout as sleep } from "node:timers/promises";
import type { Desk } from "../desk.ts";
import type { SignedAnswer } from "./signed-routes.ts";
import { toAnswer } from "./stored-outcome.ts";

const TIMEOUT_MS = 10_000;
const PAUSE_MS = 50;

/** The answer to a retry: what is stored, or what somebody else is finishing at this moment. */
export async function waitForOutcome(desk: Desk, identity: string): Promise<SignedAnswer> {
  const until = performance.now() + TIMEOUT_MS;
  do {
    const { rows } = await desk.pool.query<{ outcome: unknown }>("select outcome from release where identity = $1", [
      Buffer.from(identity, "hex"),
    ]);
    const stored = rows[0]?.outcome;
    if (stored !== undefined && stored !== null) return toAnswer(stored);
    await sleep(PAUSE_MS);
  } while (performance.now() < until);
  return { refusal: "unavailable", retryAfterSeconds: 1 };
}
