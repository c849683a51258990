import type { Bureau } from "../bureau.ts";
import { markUncertain } from "./line-state.ts";

/**
 * While no line prints, an intent without outcome is one that nobody will end: its process did, or the disk was full.
 * Whether those blanks were printed, only somebody who looks can say.
 */
export async function markLeftIntents({ store, now, log }: Pick<Bureau, "store" | "now" | "log">): Promise<void> {
  await store.write(() => {
    for (const { job, line } of store.undecidedIntents()) {
      const record = store.job(job);
      const uncertain = record === undefined ? undefined : markUncertain(record);
      if (uncertain?.ok !== true) continue;
      store.setJob(uncertain.job);
      store.insertAlarm(now(), { kind: "uncertain", line, job });
      log.warn({ line, job }, "an intent without outcome: the job is uncertain");
    }
  });
}
