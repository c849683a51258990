import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { filesBelow } from "./files-below.ts";
import type { WindowFindings } from "./search-window.ts";
import type { Wanted } from "./wanted.ts";
import { windowStarts } from "./windows.ts";

const MEGABYTE = 1e6;
const MOST_THREADS = 8;
/**
 * A thread would put off tidying up for as long as the machine has memory, and it has several for every thread. What it
 * leaves behind with each window is collected soon: that costs no time that could be measured.
 */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 };

export type WindowTask = { readonly file: string; readonly start: number };
/** `bytes` are those that the window before did not hold. */
type WindowAnswer = WindowFindings & { readonly bytes: number };

export type SearchResult = WindowFindings & { readonly files: number; readonly bytes: number };
/** How many megabytes of how many have been searched. */
export type ReportSearch = (done: number, of: number) => void;

export type SearchPool = {
  /** Searches every file below these folders for every known person; says how much was read. One search at a time. */
  readonly search: (folders: readonly string[], report?: ReportSearch) => Promise<SearchResult>;
  readonly close: () => Promise<void>;
};

/** Threads that search, one for each core. */
export function createSearchPool(wanted: Wanted): SearchPool {
  const threads = Math.min(MOST_THREADS, availableParallelism());
  const workers = Array.from({ length: threads }, () => {
    const options = { workerData: { wanted }, resourceLimits: THREAD_LIMITS };
    return new Worker(new URL("./search-worker.ts", import.meta.url), options);
  });
  return {
    search: async (folders, report) => {
      const files = folders.flatMap(filesBelow);
      const tasks = files.flatMap((file) => windowStarts(file).map((start) => ({ file, start })));
      const next = tasks.values();
      const people = new Set<number>();
      const images = new Set<bigint>();
      let bytes = 0;
      let done = 0;
      const add = (answer: WindowAnswer) => {
        for (const person of answer.people) people.add(person);
        for (const image of answer.images) images.add(image);
        bytes += answer.bytes;
        done += 1;
        const share = done / tasks.length;
        report?.(Math.round(bytes / MEGABYTE), Math.round(bytes / share / MEGABYTE));
      };
      await Promise.all(workers.map((worker) => workThrough(worker, next, add)));
      return { people, images: [...images], files: files.length, bytes };
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Gives one thread a window after the other until none is left. */
async function workThrough(worker: Worker, tasks: Iterator<WindowTask>, add: (answer: WindowAnswer) => void) {
  for (let task = tasks.next(); !task.done; task = tasks.next()) add(await ask(worker, task.value));
}

function ask(worker: Worker, task: WindowTask): Promise<WindowAnswer> {
  return new Promise((resolve, reject) => {
    const end = () => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
    };
    const onMessage = (answer: WindowAnswer) => {
      end();
      resolve(answer);
    };
    const onError = (error: unknown) => {
      end();
      reject(new Error("A searching thread failed", { cause: error }));
    };
    const onExit = () => {
      end();
      reject(new Error("A searching thread ended"));
    };
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(task);
  });
}
