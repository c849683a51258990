import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { CardPerson } from "@tipstaff/artwork";
import { DeskError } from "../server/desk-error.ts";

export type SealInput = {
  readonly kind: string;
  readonly person: CardPerson;
  readonly head: unknown;
  readonly context: Uint8Array;
  readonly contentKey: Uint8Array;
};
export type SealOutput =
  | { readonly ok: true; readonly sealed: Uint8Array }
  | { readonly ok: false; readonly reason: string };

type Reply = { id: number; outputs?: SealOutput[]; failed?: string };
type Waiting = { resolve: (outputs: SealOutput[]) => void; reject: (error: Error) => void };

const NURSERY_MIB = 8;

export type SealPool = {
  /** Composes and seals these cards in one of the threads; answers in their order. */
  readonly seal: (inputs: readonly SealInput[]) => Promise<SealOutput[]>;
  readonly threads: number;
  readonly close: () => Promise<void>;
};

/** Worker threads, one for each core, that compose faces and seal jobs. */
export function createSealPool(templates: string, threads = availableParallelism()): SealPool {
  const lanes = Array.from({ length: threads }, () => createLane(templates));
  return {
    threads,
    seal: (inputs) => {
      const lane = lanes.reduce((least, other) => (other.load() < least.load() ? other : least));
      return lane.seal(inputs);
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

function createLane(templates: string) {
  const worker = new Worker(new URL("./seal-worker.ts", import.meta.url), {
    workerData: { templates },
    // Pages live outside the heap and are freed with their owners: a small nursery is swept often.
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MIB },
  });
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on("message", ({ id, outputs, failed }: Reply) => {
    const caller = waiting.get(id);
    waiting.delete(id);
    if (outputs !== undefined) caller?.resolve(outputs);
    else caller?.reject(new DeskError("broken-invariant", `Composing or sealing failed (${failed})`));
  });
  worker.on("error", (cause) => end(new DeskError("broken-invariant", "A sealing thread failed", { cause })));
  worker.on("exit", () => end(new DeskError("broken-invariant", "A sealing thread ended")));
  return {
    load: () => waiting.size,
    seal: (inputs: readonly SealInput[]) =>
      new Promise<SealOutput[]>((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        last += 1;
        waiting.set(last, { resolve, reject });
        worker.postMessage({ id: last, inputs }, portraitsOf(inputs));
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

/** Portraits are handed over, not copied: the caller's are empty afterwards. */
function portraitsOf(inputs: readonly SealInput[]): ArrayBuffer[] {
  return inputs.flatMap(({ person: { portrait } }) => {
    const { buffer } = portrait;
    // A small one may share its memory with others, which must not be handed over with it.
    return buffer instanceof ArrayBuffer && buffer.byteLength === portrait.length ? [buffer] : [];
  });
}
