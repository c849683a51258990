// One thread of a crew: verifies runs of full bundles, and answers with their roots and the marks of their operations.
import { parentPort, workerData } from "node:worker_threads";
import { createFolderReader } from "../storage/folder-files.ts";
import type { LogReader } from "../storage/tile-storage.ts";
import { fullTileRoot } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import { type BundleCheck, checkBundle, readBundleFiles } from "./check-bundle.ts";
import type { CrewSetup, CrewStorage, FromWorker, Run, ToWorker } from "./crew-messages.ts";
import { createReadAhead } from "./read-ahead.ts";

const setup: CrewSetup = workerData;
/** A folder is read at once, as it is in this thread's way alone; who must ask for bytes asks early. */
const READ_AHEAD = setup.tiles === "asked" ? 3 : 0;
const waiting = new Map<number, PromiseWithResolvers<Uint8Array | undefined>>();
let asked = 0;

const send = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);

const open = (storage: CrewStorage, of: "tiles" | "openings"): LogReader => {
  // Two files of a bundle at a time, and each is done with before the next bundle; openings may lie in many files.
  if (storage !== "asked") return createFolderReader(storage.folder, of === "tiles" ? { buffers: 2 } : {});
  return {
    read: (path) => {
      const answer = Promise.withResolvers<Uint8Array | undefined>();
      const id = asked++;
      waiting.set(id, answer);
      send({ kind: "read", id, of, path });
      return answer.promise;
    },
  };
};

const check: BundleCheck = {
  anyEntries: setup.anyEntries,
  tiles: open(setup.tiles, "tiles"),
  ...(setup.openings ? { openings: open(setup.openings, "openings") } : {}),
  ...(setup.markKey ? { markKey: setup.markKey } : {}),
};

const verifyRun = async ({ first, count }: Run) => {
  const roots = new Uint8Array(new ArrayBuffer(count * HASH_LENGTH));
  const marks = new Uint32Array(new ArrayBuffer(setup.markKey ? 8 * count * TILE_WIDTH : 0));
  const bundleAt = (at: number) => ({ index: first + at, width: TILE_WIDTH });
  const ahead = createReadAhead((at) => readBundleFiles(check, bundleAt(at)), { end: count, depth: READ_AHEAD });
  let done = 0;
  try {
    for (; done < count; done++) {
      const checked = await checkBundle(check, { bundle: bundleAt(done), files: ahead.take(done) });
      roots.set(fullTileRoot(checked.hashes), done * HASH_LENGTH);
      if (setup.markKey) marks.set(checked.marks, 2 * done * TILE_WIDTH);
    }
  } catch {
    // Whatever it was, the caller's thread meets it again, and names it.
  }
  return { done, roots, marks };
};

let runs: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "run") {
    runs = runs.then(async () => {
      const result = await verifyRun(message);
      send({ kind: "result", first: message.first, ...result }, [result.roots.buffer, result.marks.buffer]);
    });
    return;
  }
  const answer = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.kind === "bytes") answer?.resolve(message.bytes);
  else answer?.reject(new Error("the file cannot be read"));
});
