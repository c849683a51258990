import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { PhotoTask } from "./photo-worker.ts";

const progressSchema = z.object({ done: z.int(), photos: z.int() });

/** Raw pictures hang on young objects, which are collected when this is full. */
const NURSERY_MIB = 16;

/** Portraits of the whole force, on all cores. Returns how many there are; a few people have none. */
export async function drawPhotos(
  force: { readonly seed: string; readonly people: number },
  folder: string,
  onProgress: (done: number, of: number) => void,
): Promise<number> {
  const workers = Math.max(1, Math.min(availableParallelism(), force.people));
  const latest = Array.from({ length: workers }, () => ({ done: 0, photos: 0 }));
  const total = (key: "done" | "photos") => latest.reduce((sum, one) => sum + one[key], 0);
  await Promise.all(
    latest.map((_, worker) =>
      runWorker({ seed: force.seed, people: force.people, folder, worker, workers }, (message) => {
        latest[worker] = progressSchema.parse(message);
        onProgress(total("done"), force.people);
      }),
    ),
  );
  return total("photos");
}

function runWorker(task: PhotoTask, onMessage: (message: unknown) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./photo-worker.ts", import.meta.url), {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MIB },
    });
    worker.on("message", onMessage);
    worker.on("error", reject);
    worker.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error("the drawing of portraits stopped half way")),
    );
  });
}
