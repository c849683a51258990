import { LedgerError } from "../error.ts";
import { type Bell, createBell } from "./bell.ts";
import { type EntryState, entryState } from "./entry-state.ts";
import { keepLeading } from "./leading.ts";
import { keepLookingUp } from "./looking-up.ts";
import { findEntries, findEvents, findIndexes, type StoredEntry } from "./lookup.ts";
import type { SequencerOptions } from "./options.ts";
import { type Published, readPublished } from "./published.ts";
import type { TickResult } from "./tick.ts";
import { createWaiters, type Logged, proveLogged, type Waiters } from "./waiters.ts";

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

/**
 * Moves the intake of a Postgres database into a tiled log. Any number of processes may run one for the same log: one
 * leads, the others stand by. Halts, and says so, rather than fork the log.
 */
export const createSequencer = (options: SequencerOptions): Sequencer => {
  const held: Held = {
    ...{ waiters: createWaiters(), bell: createBell(), lookupBell: createBell() },
    ...{ state: "stopped", stopping: false, fault: undefined, current: undefined },
  };
  return {
    ...startAndStop(options, held),
    wake: held.bell.ring,
    waitLogged: async (operationIds, { timeoutMs }) => {
      const { fault, waiters, lookupBell } = held;
      if (fault) throw new LedgerError("log-halted", fault.message, { cause: fault });
      const logged = waiters.wait(operationIds, timeoutMs);
      lookupBell.ring();
      return logged;
    },
    ...readings(options, held),
    state: () => held.state,
  };
};

/** What one sequencer holds from turn to turn. */
type Held = {
  readonly waiters: Waiters;
  readonly bell: Bell;
  readonly lookupBell: Bell;
  state: SequencerState;
  stopping: boolean;
  fault: LedgerError | undefined;
  current: Published | undefined;
};

const startAndStop = (options: SequencerOptions, held: Held): Pick<Sequencer, "start" | "stop"> => {
  let running: Promise<unknown> = Promise.resolve();
  return {
    start: () => {
      if (held.state !== "stopped") return;
      held.state = "standby";
      held.stopping = false;
      running = Promise.all([lead(options, held), lookUp(options, held)]);
    },
    stop: async () => {
      held.stopping = true;
      held.bell.ring();
      held.lookupBell.ring();
      await running;
      if (held.state !== "halted") held.state = "stopped";
      held.waiters.fail(new LedgerError("sequencer-stopped", "the sequencer was stopped"));
    },
  };
};

const lead = (options: SequencerOptions, held: Held): Promise<void> =>
  keepLeading(options, {
    bell: held.bell,
    isStopped: () => held.stopping,
    onLead: (out) => {
      held.state = "leading";
      held.current = out;
    },
    onTick: async (result) => {
      held.current = result.published;
      await settleTick(held.waiters, result);
    },
    onLost: () => {
      held.state = "standby";
    },
    onHalt: (error) => {
      held.state = "halted";
      held.fault = error;
      held.waiters.fail(new LedgerError("log-halted", error.message, { cause: error }));
    },
  });

const lookUp = (options: SequencerOptions, held: Held): Promise<void> =>
  keepLookingUp(options, {
    waiters: held.waiters,
    bell: held.lookupBell,
    published: () => publishedNow(options, held),
    isStopped: () => held.stopping,
    firstLookupMs: () => (held.state === "leading" ? LEADER_FIRST_LOOKUP_MS : FIRST_LOOKUP_MS),
    sweepMs: () => (held.state === "leading" ? LEADER_LOOKUP_MS : STANDBY_LOOKUP_MS),
  });

/** A leader knows what is published; who stands by reads it, and goes on with what it has where nothing changed. */
const publishedNow = async (options: SequencerOptions, held: Held): Promise<Published | undefined> => {
  if (held.state === "leading") return held.current;
  const out = await readPublished(options);
  if (out?.size !== held.current?.size || out?.witnessed !== held.current?.witnessed) held.current = out;
  return held.current;
};

const readings = (
  options: SequencerOptions,
  held: Held,
): Pick<Sequencer, "head" | "prove" | "entry" | "entries" | "states" | "events"> => ({
  head: async () => {
    const out = await publishedNow(options, held);
    if (out === undefined) return undefined;
    const { size, root, checkpoint, witnessed } = out;
    return { size, root, checkpoint, witnessed };
  },
  prove: async (index) => {
    const out = await publishedNow(options, held);
    if (out === undefined || index >= out.size) return undefined;
    return { size: out.size, proof: await out.prover.inclusion(index), checkpoint: out.checkpoint };
  },
  entry: async (operationId) => (await findEntries(options.pool, [operationId]))[0],
  entries: (operationIds) => findEntries(options.pool, operationIds),
  states: async (operationIds) => {
    const out = await publishedNow(options, held);
    const indexes = await findIndexes(options.pool, operationIds);
    return indexes.map((index) => (index === undefined ? undefined : entryState(index, out)));
  },
  events: (operationIds) => findEvents(options.pool, operationIds),
});

const settleTick = async (waiters: Waiters, { entries, published, lead }: TickResult): Promise<void> => {
  const first = lead.edge.size - entries.length;
  for (const [at, { operationId, leaf }] of entries.entries()) {
    if (!waiters.isWaitedFor(operationId)) continue;
    waiters.settle(await proveLogged({ operationId, leaf, index: first + at }, published));
  }
};
