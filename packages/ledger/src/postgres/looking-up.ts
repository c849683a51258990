import type { Bell } from "./bell.ts";
import { findPlaced } from "./lookup.ts";
import type { SequencerOptions } from "./options.ts";
import type { Published } from "./published.ts";
import { proveLogged, type Waiters } from "./waiters.ts";

const LONG_MS = 60_000;

export type LookingUp = {
  readonly waiters: Waiters;
  readonly bell: Bell;
  readonly published: () => Promise<Published | undefined>;
  readonly isStopped: () => boolean;
  readonly firstLookupMs: () => number;
  readonly sweepMs: () => number;
};

/** Finds the entries that were logged before somebody asked, or by another leader. */
export const keepLookingUp = async (options: SequencerOptions, input: LookingUp): Promise<void> => {
  const { waiters, bell, published, isStopped, firstLookupMs, sweepMs } = input;
  let nextSweep = 0;
  while (!isStopped()) {
    if (waiters.size() === 0) {
      await bell.wait(LONG_MS);
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, firstLookupMs()));
    const sweep = Date.now() >= nextSweep;
    if (sweep) nextSweep = Date.now() + sweepMs();
    const ids = sweep ? waiters.all() : waiters.takeUnseen();
    if (ids.length === 0) continue;
    try {
      const out = await published();
      if (out === undefined || (options.witnesses?.demandsQuorum && !out.witnessed)) continue;
      for (const placed of await findPlaced(options.pool, ids, out.size)) {
        waiters.settle(await proveLogged(placed, out));
      }
    } catch (error) {
      options.onError?.(error);
    }
  }
};
