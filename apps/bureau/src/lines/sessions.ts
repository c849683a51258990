import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import {
  finishWhatWasBegun,
  type LineActivity,
  type PrintOptions,
  type PrintSummary,
  printOpenRuns,
} from "./print-session.ts";

const RESUME_PATIENCE_SECONDS = 10;

/** One print call at a time; what was begun before the start is finished first. */
export type Sessions = {
  /** Throws `refused` while another print call runs. */
  readonly print: (options: PrintOptions) => Promise<PrintSummary>;
  readonly isPrinting: () => boolean;
  readonly activity: ReadonlyMap<string, LineActivity>;
  /** Resolves when nothing runs. */
  readonly ended: () => Promise<unknown>;
};

/** Sends what receipts wait, settles what was in flight, and then takes print calls. */
export function startSessions(bureau: Bureau): Sessions {
  const activity = new Map<string, LineActivity>();
  const resumed = finishWhatWasBegun(bureau, RESUME_PATIENCE_SECONDS, activity).catch((err) => {
    bureau.log.error({ err }, "what was begun could not be finished");
  });
  let running: Promise<unknown> | undefined;
  return {
    print: async (options) => {
      if (running !== undefined) throw new BureauError("refused", "The bureau is printing already; see bureau status");
      const session = resumed.then(() => printOpenRuns(bureau, options, activity));
      running = session.catch(() => undefined);
      try {
        return await session;
      } finally {
        running = undefined;
      }
    },
    isPrinting: () => running !== undefined,
    activity,
    ended: () => Promise.allSettled([resumed, running]),
  };
}
