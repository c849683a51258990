import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { CensusProof } from "@tipstaff/ledger";

export type MapQuestion = { readonly leaves: Uint8Array; readonly key: Uint8Array | undefined };
export type BuiltMap = { readonly root: Uint8Array; readonly proof: CensusProof | undefined };

/** Builds maps of censuses away from the thread that answers releases. */
export type MapThread = {
  /** One after the other; `undefined` for leaves of which no map can be. */
  readonly build: (leaves: Uint8Array, key?: Uint8Array) => Promise<BuiltMap | undefined>;
};

/** Runs `work` with such a thread, and ends it. */
export async function withMapThread<T>(work: (thread: MapThread) => Promise<T>): Promise<T> {
  const worker = new Worker(new URL("./map-worker.ts", import.meta.url));
  try {
    return await work({
      build: async (leaves, key) => {
        // Rejects too where the thread fails.
        const answered: Promise<(BuiltMap | undefined)[]> = once(worker, "message");
        worker.postMessage({ leaves, key } satisfies MapQuestion);
        return (await answered)[0];
      },
    });
  } finally {
    await worker.terminate();
  }
}
