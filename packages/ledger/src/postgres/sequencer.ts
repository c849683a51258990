import { LedgerError } from "../error.ts";
import { createBell } from "./bell.ts";
import { type EntryState, entryState } from "./entry-state.ts";
import { keepLeading } from "./leading.ts";
import { findEntries, findEvents, findIndexes, findPlaced, type StoredEntry } from "./lookup.ts";
import type { SequencerOptions } from "./options.ts";
import { type Published, readPublished } from "./published.ts";
import type { TickResult } from "./tick.ts";
import { createWaiters, type Logged, proveLogged } from "./waiters.ts";

/** `witnessed`: the checkpoint carries the quorum of the sequencer's policy. */
export type SequencerHead = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint: Uint8Array;
  readonly witnessed: boolean;
};
/** An audit path (RFC 6962, section 2.1.1), and the checkpoint that it leads to. */
export type SequencerProof = {
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: Uint8Array;
};
/** `standby`: another process leads, or none can be found yet. `halted`: for good, and `waitLogged` says why. */
export type SequencerState = "stopped" | "standby" | "leading" | "halted";

/** One of any number of processes that may lead a log. */
export type Sequencer = {
  /** Begins to lead, or to wait for the lead. Never throws; faults go to `onError`. */
  readonly start: () => void;
  /** Ends after the turn that is under way. Who still waits is told `sequencer-stopped`. */
  readonly stop: () => Promise<void>;
  /** Something was committed to the intake: do not wait for the next look. */
  readonly wake: () => void;
  /**
   * Until all of these stand under a published checkpoint, in the order asked; where `witnesses` demand a quorum, under one
   * that carries it: then all are `witnessed`. Rejects with `wait-timeout`, `sequencer-stopped`, or `log-halted`.
   */
  readonly waitLogged: (
    operationIds: readonly Uint8Array[],
    options: { readonly timeoutMs: number },
  ) => Promise<readonly Logged[]>;
  /** The published checkpoint; `undefined` before the first. */
  readonly head: () => Promise<SequencerHead | undefined>;
  /** Proof for one index against the published checkpoint; `undefined` where it is not published yet. */
  readonly prove: (index: number) => Promise<SequencerProof | undefined>;
  /** An accepted entry, also while it waits; `undefined` where that operation was never accepted. */
  readonly entry: (operationId: Uint8Array) => Promise<StoredEntry | undefined>;
  readonly entries: (operationIds: readonly Uint8Array[]) => Promise<readonly (StoredEntry | undefined)[]>;
  /** How far each is, in the order asked; `undefined` for what was never accepted. */
  readonly states: (operationIds: readonly Uint8Array[]) => Promise<readonly (EntryState | undefined)[]>;
  /** Their openings, the event part alone: enough for `openEvent`. */
  readonly events: (operationIds: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
  readonly state: () => SequencerState;
};

/** Whoever begins to wait is looked up after so long, together with all who came meanwhile. */
const FIRST_LOOKUP_MS = 25;
/** A leader's own ticks answer sooner than that; what it looks up was logged before somebody waited. */
const LEADER_FIRST_LOOKUP_MS = 250;
const LEADER_LOOKUP_MS = 1000;
const STANDBY_LOOKUP_MS = 100;
const LONG_MS = 60_000;

/**
 * Moves the intake of a Postgres database into a tiled log. Any number of processes may run one for the same log: one
 * leads, the others stand by. Halts, and says so, rather than fork the log.
 */
export const createSequencer = (options: SequencerOptions): Sequencer => {
  const waiters = createWaiters();
  const bell = createBell();
  const lookupBell = createBell();
  let state: SequencerState = "stopped";
  let stopping = false;
  let fault: LedgerError | undefined;
  let current: Published | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const published = async (): Promise<Published | undefined> => {
    if (state === "leading") return current;
    const out = await readPublished(options);
    if (out?.size !== current?.size || out?.witnessed !== current?.witnessed) current = out;
    return current;
  };

  const run = (): Promise<unknown> =>
    Promise.all([
      keepLeading(options, {
        bell,
        isStopped: () => stopping,
        onLead: (out) => {
          state = "leading";
          current = out;
        },
        onTick: async (result) => {
          current = result.published;
          await settleTick(waiters, result);
        },
        onLost: () => {
          state = "standby";
        },
        onHalt: (error) => {
          state = "halted";
          fault = error;
          waiters.fail(new LedgerError("log-halted", error.message, { cause: error }));
        },
      }),
      keepLookingUp(options, {
        waiters,
        bell: lookupBell,
        published,
        isStopped: () => stopping,
        firstLookupMs: () => (state === "leading" ? LEADER_FIRST_LOOKUP_MS : FIRST_LOOKUP_MS),
        sweepMs: () => (state === "leading" ? LEADER_LOOKUP_MS : STANDBY_LOOKUP_MS),
      }),
    ]);

  return {
    start: () => {
      if (state !== "stopped") return;
      state = "standby";
      stopping = false;
      running = run();
    },
    stop: async () => {
      stopping = true;
      bell.ring();
      lookupBell.ring();
      await running;
      if (state !== "halted") state = "stopped";
      waiters.fail(new LedgerError("sequencer-stopped", "the sequencer was stopped"));
    },
    wake: bell.ring,
    waitLogged: async (operationIds, { timeoutMs }) => {
      if (fault) throw new LedgerError("log-halted", fault.message, { cause: fault });
      const logged = waiters.wait(operationIds, timeoutMs);
      lookupBell.ring();
      return logged;
    },
    head: async () => {
      const out = await published();
      if (out === undefined) return undefined;
      const { size, root, checkpoint, witnessed } = out;
      return { size, root, checkpoint, witnessed };
    },
    prove: async (index) => {
      const out = await published();
      if (out === undefined || index >= out.size) return undefined;
      return { size: out.size, proof: await out.prover.inclusion(index), checkpoint: out.checkpoint };
    },
    entry: async (operationId) => (await findEntries(options.pool, [operationId]))[0],
    entries: (operationIds) => findEntries(options.pool, operationIds),
    states: async (operationIds) => {
      const out = await published();
      const indexes = await findIndexes(options.pool, operationIds);
      return indexes.map((index) => (index === undefined ? undefined : entryState(index, out)));
    },
    events: (operationIds) => findEvents(options.pool, operationIds),
    state: () => state,
  };
};

type Waiters = ReturnType<typeof createWaiters>;

const settleTick = async (waiters: Waiters, { entries, published, lead }: TickResult): Promise<void> => {
  const first = lead.edge.size - entries.length;
  for (const [at, { operationId, leaf }] of entries.entries()) {
    if (!waiters.isWaitedFor(operationId)) continue;
    waiters.settle(await proveLogged({ operationId, leaf, index: first + at }, published));
  }
};

type LookingUp = {
  readonly waiters: Waiters;
  readonly bell: ReturnType<typeof createBell>;
  readonly published: () => Promise<Published | undefined>;
  readonly isStopped: () => boolean;
  readonly firstLookupMs: () => number;
  readonly sweepMs: () => number;
};

/** Finds the entries that were logged before somebody asked, or by another leader. */
const keepLookingUp = async (options: SequencerOptions, input: LookingUp): Promise<void> => {
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
