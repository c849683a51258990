import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../../apps/cli/src/cli-error.ts";
import { HangError } from "./within.ts";

const AGAIN_MS = 200;

/**
 * Asks until it is answered: processes that have just come back may say `unavailable` for a while, but not for longer
 * than `seconds`. A refusal is an answer, and is thrown at once.
 */
export async function insist<T>(seconds: number, what: string, ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (Date.now() > deadline) throw new HangError(`${what}: no answer for ${seconds} s (${String(error)})`);
      await sleep(AGAIN_MS);
    }
  }
}

/** Asks once; a process that is gone or busy is no failure, one that never answers is. */
export async function tryOnce(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!isPassing(error) && !(error instanceof CliError && error.code === "refused")) throw error;
  }
}

const isPassing = (error: unknown) =>
  error instanceof CliError && (error.code === "not-running" || error.code === "failed");
