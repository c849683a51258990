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

/** Those who wait for their entries to be logged. */
export const createWaiters = () => {
  const waiting = new Map<string, Set<Wait>>();
  let unseen = new Set<string>();

  const waitOne = (operationId: Uint8Array, signal: AbortSignal): Promise<Logged> => {
    const id = toHex(operationId);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener("abort", aborted);
        const others = waiting.get(id);
        others?.delete(wait);
        if (others?.size === 0) {
          waiting.delete(id);
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
      waiting.set(id, (waiting.get(id) ?? new Set()).add(wait));
      unseen.add(id);
    });
  };

  return {
    /** Rejects with `wait-timeout` when not all are logged in time, or with what `fail` was told. */
    wait: async (operationIds: readonly Uint8Array[], timeoutMs: number): Promise<readonly Logged[]> => {
      const stop = new AbortController();
      const timer = setTimeout(
        () => stop.abort(new LedgerError("wait-timeout", `not logged within ${timeoutMs} ms; it may be later`)),
        timeoutMs,
      );
      try {
        return await Promise.all(operationIds.map((id) => waitOne(id, stop.signal)));
      } finally {
        clearTimeout(timer);
        stop.abort(new LedgerError("wait-timeout", "another entry of the same call failed"));
      }
    },
    isWaitedFor: (operationId: Uint8Array): boolean => waiting.has(toHex(operationId)),
    size: (): number => waiting.size,
    /** Ids that nobody has looked up yet; each is told once. */
    takeUnseen: (): readonly Uint8Array[] => {
      const ids = [...unseen];
      unseen = new Set();
      return ids.map((id) => Buffer.from(id, "hex"));
    },
    all: (): readonly Uint8Array[] => [...waiting.keys()].map((id) => Buffer.from(id, "hex")),
    settle: (logged: Logged): void => {
      for (const wait of [...(waiting.get(toHex(logged.operationId)) ?? [])]) wait.done(logged);
    },
    fail: (error: unknown): void => {
      for (const wait of [...waiting.values()].flatMap((waits) => [...waits])) wait.failed(error);
    },
  };
};
