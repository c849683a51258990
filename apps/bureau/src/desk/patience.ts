import { setTimeout as sleep } from "node:timers/promises";
import type { RefusalCode } from "@tipstaff/release-protocol";
import type { DeskAnswer } from "./desk-client.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** How long somebody goes on asking; `signal` ends every pause at once. */
export type Patience = { readonly milliseconds: number; readonly signal: AbortSignal };

/** Growing pauses that begin together and drift apart, so that sixty-four lines do not knock at the same instant. */
export function createPauses(patience: Patience, random: () => number = Math.random) {
  const until = performance.now() + patience.milliseconds;
  let pauseMs = FIRST_PAUSE_MS;
  return {
    /** Waits; false when the patience is at its end and nothing should be tried again. */
    next: async (atLeastSeconds = 0): Promise<boolean> => {
      const wanted = Math.max(atLeastSeconds * 1000, pauseMs) * (1 + random() / 4);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      const left = until - performance.now();
      if (left <= 0 || wanted > left + LONGEST_PAUSE_MS || patience.signal.aborted) return false;
      try {
        await sleep(Math.min(wanted, Math.max(left, 1)), undefined, { signal: patience.signal });
        return true;
      } catch {
        return false;
      }
    },
  };
}

/**
 * Asks until the desk has answered, `unavailable` and lost answers aside; gives the last answer at the end. No asking
 * again sets a clock.
 */
export async function askPatiently<T>(ask: () => Promise<DeskAnswer<T>>, patience: Patience): Promise<DeskAnswer<T>> {
  const pauses = createPauses(patience);
  for (;;) {
    const answer = await ask();
    if (answer.kind === "ok" || (answer.kind === "refused" && !isPassing(answer.code))) return answer;
    if (answer.kind === "unreachable" && answer.why === "clock-differs") return answer;
    const seconds = answer.kind === "refused" ? answer.retryAfterSeconds : undefined;
    if (!(await pauses.next(seconds))) return answer;
  }
}

/** A refusal that decides nothing: the same question may be asked again. `replayed` says that an earlier copy arrived. */
export function isPassing(code: RefusalCode): boolean {
  return code === "unavailable" || code === "replayed";
}
