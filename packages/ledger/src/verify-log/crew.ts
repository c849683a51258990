import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { folderOf } from "../storage/folder-files.ts";
import type { LogReader } from "../storage/tile-storage.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { TILE_WIDTH } from "../tree/paths.ts";
import type { BundleCheck } from "./check-bundle.ts";
import type { CrewSetup, CrewStorage, FromWorker, Run, RunResult, ToWorker } from "./crew-messages.ts";
import type { Crew, StartCrew } from "./crew-types.ts";
import { createSilence, type Silence } from "./silence.ts";

/** Below so many bundles the caller's thread is done before others have started. */
const SMALL_LOG = 256;
const MOST_THREADS = 16;
/** Bundles that a worker is given at a time, so that passing them on costs nothing beside them. */
const RUN_LENGTH = 32;
/** Runs a worker holds at a time, so that it need not wait for the next. */
const RUNS_HELD = 2;
/** Runs a worker may be ahead of who takes their results. */
const RUNS_AHEAD = 4;

/** How long a worker that has work may say nothing: a run is done in a fraction of a second. */
const PATIENCE_MS = 60_000;
/** Turns in which that time passes. */
const TURNS = 20;

type Lane = {
  readonly worker: Worker;
  readonly held: Set<number>;
  readonly silence: Silence;
  readonly die: () => void;
  alive: boolean;
};

export const startCrew: StartCrew = (check, { bundles, threads, patienceMs = PATIENCE_MS }) => {
  const wanted = threads ?? (bundles < SMALL_LOG ? 1 : availableParallelism());
  const many = Math.min(Math.floor(wanted), MOST_THREADS, bundles);
  if (!(many >= 2)) return undefined;
  const runLength = Math.min(RUN_LENGTH, Math.ceil(bundles / many));
  return createCrew(check, { bundles, many, runLength, patienceMs });
};

const createCrew = (
  check: BundleCheck,
  log: { bundles: number; many: number; runLength: number; patienceMs: number },
): Crew | undefined => {
  const { bundles, many, runLength, patienceMs } = log;
  const runs = Math.ceil(bundles / runLength);
  const runAt = (run: number): Run => ({
    first: run * runLength,
    count: Math.min(runLength, bundles - run * runLength),
  });
  const results = new Map<number, PromiseWithResolvers<RunResult>>();
  let [next, taken] = [0, 0];
  const give = (): void => {
    for (const lane of lanes) {
      while (lane.alive && lane.held.size < RUNS_HELD && next < Math.min(runs, taken + many * RUNS_AHEAD)) {
        results.set(next, Promise.withResolvers());
        lane.held.add(next);
        send(lane.worker, { kind: "run", ...runAt(next) });
        next += 1;
      }
    }
  };
  const settle = (lane: Lane, run: number, result: RunResult): void => {
    lane.held.delete(run);
    results.get(run)?.resolve(result);
    give();
  };
  const lanes = startLanes(check, many, {
    result: (lane, { first, ...result }) => settle(lane, first / runLength, result),
    death: (lane) => {
      for (const run of lane.held) settle(lane, run, NOTHING);
    },
  });
  if (lanes.length === 0) return undefined;
  return {
    take: async (index) => {
      taken = Math.floor(index / runLength);
      for (const run of results.keys()) if (run < taken) results.delete(run);
      give();
      const holder = lanes.find(({ held }) => held.has(taken));
      const result = await heardOf(holder, results.get(taken)?.promise, patienceMs);
      return result && cut(result, index - taken * runLength);
    },
    close: async () => {
      // Who is dead was told to end, and does not always answer to that either.
      await Promise.all(lanes.filter(({ alive }) => alive).map(({ worker }) => worker.terminate()));
    },
  };
};

/** Waits for the result, and no longer than for the one who is to bring it. */
const heardOf = async <T>(holder: Lane | undefined, result: Promise<T> | undefined, ms: number) => {
  const clock = setInterval(() => holder?.silence.pass() && holder.die(), ms / TURNS);
  try {
    return await result;
  } finally {
    clearInterval(clock);
  }
};

const NOTHING: RunResult = { done: 0, roots: new Uint8Array(0), marks: new Uint32Array(0) };

const cut = ({ done, roots, marks }: RunResult, at: number) =>
  at < done
    ? {
        root: roots.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH),
        marks: marks.subarray(2 * at * TILE_WIDTH, 2 * (at + 1) * TILE_WIDTH),
      }
    : undefined;

type On = {
  readonly result: (lane: Lane, result: RunResult & { readonly first: number }) => void;
  readonly death: (lane: Lane) => void;
};

const startLanes = (check: BundleCheck, many: number, on: On): readonly Lane[] => {
  const lanes: Lane[] = [];
  try {
    while (lanes.length < many) lanes.push(startLane(check, on));
  } catch {
    // A process may be forbidden to start threads, or have no memory for more: those that there are do the work.
  }
  return lanes;
};

// The worker's file is the source as it is in the workspace, and JavaScript in the package.
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./crew-worker.ts" : "./crew-worker.js", import.meta.url);

const startLane = (check: BundleCheck, on: On): Lane => {
  const worker = new Worker(WORKER, { workerData: setupOf(check) });
  const silence = createSilence(TURNS);
  const die = (): void => {
    if (!lane.alive) return;
    lane.alive = false;
    on.death(lane);
    worker.unref();
    void worker.terminate();
  };
  const lane: Lane = { worker, held: new Set(), silence, die, alive: true };
  worker.on("message", (message: FromWorker) => {
    silence.heard(message.kind === "read" ? "question" : "other");
    if (message.kind === "result") on.result(lane, message);
    else void answer(worker, check, message).finally(silence.answered);
  });
  for (const event of ["error", "messageerror", "exit"]) worker.on(event, die);
  return lane;
};

const setupOf = ({ tiles, openings, anyEntries, markKey }: BundleCheck): CrewSetup => ({
  anyEntries,
  tiles: storageOf(tiles),
  ...(openings ? { openings: storageOf(openings) } : {}),
  ...(markKey ? { markKey } : {}),
});

const storageOf = (reader: LogReader): CrewStorage => {
  const folder = folderOf(reader);
  return folder === undefined ? "asked" : { folder };
};

const send = (worker: Worker, message: ToWorker): void => worker.postMessage(message);

/** Reads for a worker that cannot; what cannot be read shows again, with its reason, where the bundle is verified anew. */
const answer = async (
  worker: Worker,
  check: BundleCheck,
  { id, of, path }: Extract<FromWorker, { kind: "read" }>,
): Promise<void> => {
  try {
    send(worker, { kind: "bytes", id, bytes: await check[of]?.read(path) });
  } catch {
    send(worker, { kind: "unreadable", id });
  }
};
