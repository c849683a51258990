import { LedgerError, type LedgerErrorCode } from "../error.ts";
import type { Bell } from "./bell.ts";
import { hasWaiting } from "./head.ts";
import { closeLead, connectLead, takeOver, tryLead } from "./lead.ts";
import type { SequencerOptions } from "./options.ts";
import type { Published } from "./published.ts";
import { type Lead, LeadLost, runTick, type TickResult } from "./tick.ts";

/** How long an idle leader sleeps between looks at the intake: rows of other processes wait at most this long. */
const POLL_MS = 200;
const STANDBY_MS = 500;
const BACKOFF_MS = [50, 100, 250, 500, 1000, 2000] as const;
/** A lead that lasted so long was a good one: the next fault is the first again. */
const SETTLED_MS = 10_000;

/** Faults that no second try mends: going on could fork the log. */
const HALTING: ReadonlySet<LedgerErrorCode> = new Set<LedgerErrorCode>([
  "log-halted",
  "log-missing",
  "tile-conflict",
  "tile-malformed",
  "tile-missing",
  "bundle-malformed",
  "leaf-malformed",
  "note-malformed",
  "checkpoint-malformed",
  "signature-refused",
]);

export type LeadingEvents = {
  /** Rung when there is something to do: rows in the intake, a lost connection, the end. */
  readonly bell: Bell;
  readonly isStopped: () => boolean;
  readonly onLead: (published: Published | undefined) => void;
  readonly onTick: (result: TickResult) => Promise<void>;
  readonly onLost: () => void;
  readonly onHalt: (error: LedgerError) => void;
};

/** Leads whenever it can, until it is stopped or the log halts. */
export const keepLeading = async (options: SequencerOptions, events: LeadingEvents): Promise<void> => {
  let failures = 0;
  while (!events.isStopped()) {
    const since = Date.now();
    try {
      await leadOnce(options, events);
    } catch (error) {
      options.onError?.(error);
      if (error instanceof LedgerError && HALTING.has(error.code)) {
        options.log?.warn({ code: error.code }, "the log is halted");
        return events.onHalt(error);
      }
      failures = Date.now() - since > SETTLED_MS ? 1 : failures + 1;
      const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? POLL_MS;
      options.log?.warn({ pause, failures }, "the sequencer tries again");
      if (!events.isStopped()) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
};

/** From a connection to its end: stands by, takes over, leads. */
const leadOnce = async (options: SequencerOptions, events: LeadingEvents): Promise<void> => {
  const connection = { lost: false };
  const client = await connectLead(options, () => {
    connection.lost = true;
    events.bell.ring();
  });
  try {
    while (!(await tryLead(client, options.origin))) {
      await events.bell.wait(STANDBY_MS);
      if (events.isStopped()) return;
    }
    const taken = await takeOver(options, client);
    options.log?.info({ size: taken.lead.edge.size, epoch: taken.lead.epoch }, "leading the log");
    events.onLead(taken.published);
    if (taken.result) await events.onTick(taken.result);
    await tickOn(options, { ...events, lead: taken.lead, isLost: () => connection.lost });
  } finally {
    events.onLost();
    await closeLead(client);
  }
};

/** Tick after tick. What arrives during one tick is taken together by the next: under load ticks grow by themselves. */
const tickOn = async (
  options: SequencerOptions,
  events: LeadingEvents & { lead: Lead; isLost: () => boolean },
): Promise<void> => {
  let { lead } = events;
  while (!events.isStopped()) {
    if (events.isLost()) throw new LeadLost();
    const result = (await hasWaiting(lead.client)) ? await runTick(options, lead) : undefined;
    if (result === undefined) await events.bell.wait(POLL_MS);
    else {
      lead = result.lead;
      await events.onTick(result);
    }
  }
};
