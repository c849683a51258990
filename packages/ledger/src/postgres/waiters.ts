import { toHex } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { leafHash } from "../tree/hashes.ts";
import type { Placed } from "./lookup.ts";
import type { Published } from "./published.ts";

/** That one entry stands in the log: all that somebody needs who has the log's key, and nothing else of ours. */
export type Logged = {
  readonly operationId: Uint8Array;
  readonly index: number;
  /** Size of the tree that the checkpoint signs. */
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: Uint8Array;
  /** Whether that note carries the quorum of the sequencer's policy: true wherever it has one that demands any. */
  readonly witnessed: boolean;
};

export const proveLogged = async ({ operationId, index, leaf }: Placed, out: Published): Promise<Logged> => ({
  operationId,
  index,
  size: out.size,
  leafHash: leafHash(leaf),
  proof: await out.prover.inclusion(index),
  checkpoint: out.checkpoint,
  witnessed: out.witnessed,
});

type Wait = { readonly done: (logged: Logged) => void; readonly failed: (error: unknown) => void };

type Waiting = { readonly byId: Map<string, Set<Wait>>; readonly unseen: Set<string> };

export type Waiters = ReturnType<typeof createWaiters>;

/** Those who wait for their entries to be logged. */
export const createWaiters = () => {
  const waiting: Waiting = { byId: new Map(), unseen: new Set() };
  const { byId, unseen } = waiting;
  return {
    /** Rejects with `wait-timeout` when not all are logged in time, or with what `fail` was told. */
    wait: async (operationIds: readonly Uint8Array[], timeoutMs: number): Promise<readonly Logged[]> => {
      const stop = new AbortController();
      const timer = setTimeout(
        () => stop.abort(new LedgerError("wait-timeout", `not logged within ${timeoutMs} ms; it may be later`)),
        timeoutMs,
      );
      try {
        return await Promise.all(operationIds.map((id) => waitOne(waiting, id, stop.signal)));
      } finally {
        clearTimeout(timer);
        stop.abort(new LedgerError("wait-timeout", "another entry of the same call failed"));
      }
    },
    isWaitedFor: (operationId: Uint8Array): boolean => byId.has(toHex(operationId)),
    size: (): number => byId.size,
    /** Ids that nobody has looked up yet; each is told once. */
    takeUnseen: (): readonly Uint8Array[] => {
      const ids = [...unseen];
      unseen.clear();
      return ids.map((id) => Buffer.from(id, "hex"));
    },
    all: (): readonly Uint8Array[] => [...byId.keys()].map((id) => Buffer.from(id, "hex")),
    settle: (logged: Logged): void => {
      for (const wait of [...(byId.get(toHex(logged.operationId)) ?? [])]) wait.done(logged);
    },
    fail: (error: unknown): void => {
      for (const wait of [...byId.values()].flatMap((waits) => [...waits])) wait.failed(error);
    },
  };
};

const waitOne = ({ byId, unseen }: Waiting, operationId: Uint8Array, signal: AbortSignal): Promise<Logged> => {
  const id = toHex(operationId);
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      signal.removeEventListener("abort", aborted);
      const others = byId.get(id);
      others?.delete(wait);
      if (others?.size === 0) {
        byId.delete(id);
        unseen.delete(id);
      }
    };
    const wait: Wait = {
      done: (logged) => {
        leave();
        resolve(logged);
      },
      failed: (error) => {
        leave();
        reject(error);
      },
    };
    const aborted = (): void => wait.failed(signal.reason);
    signal.addEventListener("abort", aborted);
    byId.set(id, (byId.get(id) ?? new Set()).add(wait));
    unseen.add(id);
  });
};
