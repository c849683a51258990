import { parentPort, workerData } from "node:worker_threads";
import { createByteSearch } from "./search-bytes.ts";
import type { WindowTask } from "./search-pool.ts";
import { searchWindow } from "./search-window.ts";
import type { Wanted } from "./wanted.ts";
import { OVERLAP_BYTES, readWindow, windowBuffer } from "./windows.ts";

/** Runs in a worker thread: searches one window after the other. */
const { wanted }: { wanted: Wanted } = workerData;
const searchBytes = createByteSearch(wanted);
const buffer = windowBuffer();

parentPort?.on("message", async ({ file, start }: WindowTask) => {
  const window = readWindow(file, start, buffer);
  const { people, images } = await searchWindow(window, searchBytes);
  parentPort?.postMessage({ people, images, bytes: window.length - (start > 0 ? OVERLAP_BYTES : 0) });
});
