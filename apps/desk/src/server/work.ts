import { setTimeout as sleep } from "node:timers/promises";
import { CENSUS_CHORE } from "../census/census-chore.ts";
import type { Desk } from "../desk.ts";
import { expireOrders } from "../orders/expire-orders.ts";
import { removeHalfOrders } from "../orders/remove-half-orders.ts";
import { settleErasures } from "../people/register.ts";
import { settleImportsAtStart } from "../people/settle-imports.ts";
import { adoptHolds } from "../releases/adopt-holds.ts";
import { RELEASE_CHORES } from "../releases/release-chores.ts";
import { holdAfterRestore } from "../restore/hold-after-restore.ts";
import type { Chore } from "./chore.ts";

/** What is put right once, before the desk listens: half-done things of a process that was killed. */
const AT_START: readonly Chore["run"][] = [
  holdAfterRestore,
  settleImportsAtStart,
  settleErasures,
  removeHalfOrders,
  adoptHolds,
];
/** What is done again and again while the desk runs. */
const CHORES: readonly Chore[] = [
  { name: "expire orders", everyMs: 5_000, run: expireOrders },
  CENSUS_CHORE,
  ...RELEASE_CHORES,
];

/** Puts right what a killed process left, then keeps the chores going; one that fails is logged and tried again. */
export async function startWork(desk: Desk): Promise<{ stop: () => Promise<void> }> {
  for (const run of AT_START) await run(desk);
  const stopping = new AbortController();
  const running = CHORES.map((chore) => repeat(desk, chore, stopping.signal));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function repeat(desk: Desk, { name, everyMs, run }: Chore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await run(desk);
    } catch (error) {
      desk.log.error({ err: error, chore: name }, "a chore failed and will be tried again");
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
