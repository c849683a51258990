import { setTimeout as delay } from "node:timers/promises";
import { LedgerError, type LedgerErrorCode } from "../error.ts";
import { hasWaiting } from "./head.ts";
import { closeLead, connectLead, takeOver, tryLead } from "./lead.ts";
import { findEntries, findPlaced, type StoredEntry } from "./lookup.ts";
import type { SequencerOptions } from "./options.ts";
import { type Published, readPublished } from "./published.ts";
import { LeadLost, runTick, type TickResult } from "./tick.ts";
import { createWaiters, type Logged, proveLogged } from "./waiters.ts";

export type SequencerHead = { readonly size: number; readonly root: Uint8Array; readonly checkpoint: Uint8Array };

export type Sequencer = {
  /** Begins to lead, or to wait for the lead. Never rejects; faults go to `onError`. */
  readonly start: () => void;
  /** Ends after the turn that is under way. Who still waits is told `sequencer-stopped`. */
  readonly stop: () => Promise<void>;
  /** Something was committed to the intake: do not wait for the next look. */
  readonly wake: () => void;
  /**
   * Until all of these stand under a published checkpoint, in the order asked. Rejects with `wait-timeout`,
   * `sequencer-stopped`, or `log-halted`.
   */
  readonly waitLogged: (
    operationIds: readonly Uint8Array[],
    options: { readonly timeoutMs: number },
  ) => Promise<readonly Logged[]>;
  /** The published checkpoint; `undefined` before the first. */
  readonly head: () => Promise<SequencerHead | undefined>;
  /** Proof for one index against the published checkpoint; `undefined` where it is not published yet. */
  readonly prove: (
    index: number,
  ) => Promise<
    { readonly size: number; readonly proof: readonly Uint8Array[]; readonly checkpoint: Uint8Array } | undefined
  >;
  readonly entry: (operationId: Uint8Array) => Promise<StoredEntry | undefined>;
  readonly entries: (operationIds: readonly Uint8Array[]) => Promise<readonly (StoredEntry | undefined)[]>;
  readonly state: () => SequencerState;
};
export type SequencerState = "stopped" | "standby" | "leading" | "halted";

/** How long an idle leader sleeps between looks at the intake: rows of other processes wait at most this long. */
const POLL_MS = 200;
const STANDBY_MS = 500;
const FIRST_LOOKUP_MS = 25;
const LEADER_LOOKUP_MS = 1000;
const STANDBY_LOOKUP_MS = 100;
const BACKOFF_MS = [50, 100, 250, 500, 1000, 2000] as const;
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

/**
 * Moves the intake of a Postgres database into a tiled log. Any number of processes may run one for the same log: one
 * leads, the others stand by. Halts, and says so, rather than fork the log.
 */
export const createSequencer = (options: SequencerOptions): Sequencer => {
  const waiters = createWaiters();
  let state: SequencerState = "stopped";
  let fault: LedgerError | undefined;
  let current: Published | undefined;
  let stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let rouse = new AbortController();

  const sleep = async (ms: number): Promise<void> => {
    const signal = AbortSignal.any([rouse.signal, stopping.signal]);
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    if (rouse.signal.aborted) rouse = new AbortController();
  };

  const settle = async ({ entries, published, lead }: TickResult): Promise<void> => {
    current = published;
    const first = lead.edge.size - entries.length;
    for (const [at, { operationId, leaf }] of entries.entries()) {
      if (!waiters.isWaitedFor(operationId)) continue;
      waiters.settle(await proveLogged({ operationId, leaf, index: first + at }, published));
    }
  };

  const lead = async (): Promise<void> => {
    let lost = false;
    const client = await connectLead(options, () => {
      lost = true;
      rouse.abort();
    });
    try {
      while (!(await tryLead(client, options.origin))) {
        await sleep(STANDBY_MS);
        if (stopping.signal.aborted) return;
      }
      const taken = await takeOver(options, client);
      state = "leading";
      current = taken.published;
      options.log?.info({ size: taken.lead.edge.size, epoch: taken.lead.epoch }, "leading the log");
      if (taken.result) await settle(taken.result);
      let hold = taken.lead;
      while (!stopping.signal.aborted) {
        if (lost) throw new LeadLost();
        const result = (await hasWaiting(client)) ? await runTick(options, hold) : undefined;
        if (result) {
          hold = result.lead;
          await settle(result);
        } else await sleep(POLL_MS);
      }
    } finally {
      if (state === "leading") state = "standby";
      await closeLead(client);
    }
  };

  const halt = (error: LedgerError): void => {
    state = "halted";
    fault = error;
    options.log?.warn({ code: error.code }, "the log is halted");
    waiters.fail(new LedgerError("log-halted", error.message, { cause: error }));
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const since = Date.now();
      try {
        await lead();
      } catch (error) {
        options.onError?.(error);
        if (error instanceof LedgerError && HALTING.has(error.code)) return halt(error);
        failures = Date.now() - since > 10_000 ? 1 : failures + 1;
        const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? POLL_MS;
        options.log?.warn({ pause, failures }, "the sequencer tries again");
        await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };

  const published = async (): Promise<Published | undefined> => {
    if (state === "leading" && current) return current;
    const out = await readPublished(options);
    if (out && out.size !== current?.size) current = out;
    return current;
  };

  /** Finds the entries that were logged before somebody asked, or by another leader. */
  const lookUp = async (): Promise<void> => {
    let nextSweep = 0;
    while (!stopping.signal.aborted) {
      await delay(FIRST_LOOKUP_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      const sweep = Date.now() >= nextSweep;
      if (sweep) nextSweep = Date.now() + (state === "leading" ? LEADER_LOOKUP_MS : STANDBY_LOOKUP_MS);
      const ids = sweep ? waiters.all() : waiters.takeUnseen();
      if (ids.length > 0) await lookUpOnce(ids).catch((error: unknown) => options.onError?.(error));
    }
  };

  const lookUpOnce = async (ids: readonly Uint8Array[]): Promise<void> => {
    const out = await published();
    if (out === undefined) return;
    for (const placed of await findPlaced(options.pool, ids, out.size)) {
      waiters.settle(await proveLogged(placed, out));
    }
  };

  return {
    start: () => {
      if (state !== "stopped") return;
      state = "standby";
      stopping = new AbortController();
      running = Promise.all([run(), lookUp()]);
    },
    stop: async () => {
      stopping.abort();
      await running;
      if (state !== "halted") state = "stopped";
      waiters.fail(new LedgerError("sequencer-stopped", "the sequencer was stopped"));
    },
    wake: () => rouse.abort(),
    waitLogged: async (operationIds, { timeoutMs }) => {
      if (fault) throw new LedgerError("log-halted", fault.message, { cause: fault });
      return waiters.wait(operationIds, timeoutMs);
    },
    head: async () => {
      const out = await published();
      return out && { size: out.size, root: out.root, checkpoint: out.checkpoint };
    },
    prove: async (index) => {
      const out = await published();
      if (out === undefined || index >= out.size) return undefined;
      return { size: out.size, proof: await out.prover.inclusion(index), checkpoint: out.checkpoint };
    },
    entry: async (operationId) => (await findEntries(options.pool, [operationId]))[0],
    entries: (operationIds) => findEntries(options.pool, operationIds),
    state: () => state,
  };
};
