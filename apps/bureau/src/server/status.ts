import type { Bureau } from "../bureau.ts";
import type { Sessions } from "../lines/sessions.ts";

/** Everything that an operator may ask about; ids and counts, nothing about a person. */
export function describeStatus({ store, settings, pins }: Bureau, sessions: Sessions) {
  const jobs: Record<string, number> = {};
  const refused: Record<string, number> = {};
  for (const { state, code, n } of store.jobCounts()) {
    jobs[state] = (jobs[state] ?? 0) + n;
    if (state === "refused" && code !== undefined) refused[code] = n;
  }
  const lines = store.lines().map(({ line, flight, stopped }) => {
    const doing = sessions.activity.get(line);
    return {
      line,
      state: stopped ?? doing?.doing ?? "idle",
      job: doing?.job ?? flight?.job ?? null,
      since: doing?.since.toISOString() ?? null,
    };
  });
  const uncertain = store.undecidedIntents().map(({ job, attempt, line, blank, at }) => {
    const record = store.job(job);
    return { job, order: record?.order ?? null, attempt, line, blank, at, uncertain: record?.state === "uncertain" };
  });
  return {
    recipient: settings.recipient,
    force: pins.force.name,
    printing: sessions.isPrinting(),
    orders: store.orders().map(({ order, jobs: count, expiresAt }) => ({ order, jobs: count, expiresAt })),
    jobs,
    refused,
    uncertain: uncertain.filter((row) => row.uncertain).map(({ uncertain: _all, ...row }) => row),
    receipts: store.receiptCounts(),
    lines,
    alarms: store.alarms().slice(-50),
  };
}
