import { parentPort, workerData } from "node:worker_threads";
import type { Wanted } from "./known-people.ts";
import { createByteSearch } from "./search-bytes.ts";
import type { WindowTask } from "./search-pool.ts";
import { searchWindow } from "./search-window.ts";
import { OVERLAP_BYTES, readWindow, WINDOW_BYTES } from "./windows.ts";

/** Runs in a worker thread: searches one window after the other. */
const { wanted }: { wanted: Wanted } = workerData;
const searchBytes = createByteSearch(wanted);
const buffer = Buffer.allocUnsafe(WINDOW_BYTES);

parentPort?.on("message", async ({ file, start }: WindowTask) => {
  const window = readWindow(file, start, buffer);
  const { people, images } = await searchWindow(window, searchBytes);
  parentPort?.postMessage({ people, images, bytes: window.length - (start > 0 ? OVERLAP_BYTES : 0) });
});
