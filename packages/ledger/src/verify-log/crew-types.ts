import type { BundleCheck } from "./check-bundle.ts";

/** Threads that verify the full bundles of a log ahead of the one that asks. */
export type Crew = {
  /**
   * What the bundle came to, to be asked for in ascending order; `undefined` where the crew does not vouch for it, be it
   * for a fault in the log, of the storage, or of the crew: verify it here. Never rejects, and never waits for the dead, nor
   * for long for those who say nothing.
   */
  readonly take: (index: number) => Promise<{ readonly root: Uint8Array; readonly marks: Uint32Array } | undefined>;
  readonly close: () => Promise<void>;
};

/** `undefined` where no crew is worth it, or can be had. */
export type StartCrew = (
  check: BundleCheck,
  log: {
    readonly bundles: number;
    readonly threads: number | undefined;
    /** After so long a silence a worker counts as dead; left out, a minute. */
    readonly patienceMs?: number;
  },
) => Crew | undefined;
