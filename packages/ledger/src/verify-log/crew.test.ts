import type { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createNoteSigner, parseVerifierKey, verifyLog } from "../index.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testKey } from "../test-entries.ts";
import { startCrew } from "./crew.ts";

const SIZE = 16 * 256 + 7;
const signer = createNoteSigner("force.example/log", testKey("crew"));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];
const log = createMemoryLog(signer);

/** A leaf of its own for each number, as far as a verifier without openings can see. */
const leafOf = (n: number): Uint8Array => {
  const leaf = new Uint8Array(481).fill(1, 0, 1);
  new DataView(leaf.buffer).setUint32(29, n);
  return leaf;
};
beforeAll(() => {
  log.append(Array.from({ length: SIZE }, (_, n) => leafOf(n)));
});

const withByte = (changed: string, at: number) => ({
  read: async (path: string) => {
    const bytes = await log.reader.read(path);
    if (path === changed && bytes) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
    return bytes;
  },
});

/** Does something to every thread that is started from here on. */
let listener: ((worker: Worker) => void) | undefined;
const toEachWorker = (act: (worker: Worker) => void): void => {
  listener = act;
  process.on("worker", act);
};
afterEach(() => {
  if (listener) process.off("worker", listener);
  listener = undefined;
});

const bundlePath = (index: number): string => `tile/entries/${String(index).padStart(3, "0")}`;
const faultOf = async (threads: number, tiles = log.reader) => {
  const verdict = await verifyLog({ tiles, verifierKeys, threads });
  return verdict.ok ? undefined : verdict.fault;
};

describe("a crew", () => {
  test("names what one thread names, wherever a byte changed", async () => {
    const levels = fc.constantFrom("tile/0/", "tile/entries/");
    const place = fc.record({
      level: levels,
      index: fc.nat(15),
      at: fc.nat(130_000),
      threads: fc.integer({ min: 2, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ level, index, at, threads }) => {
        const changed = withByte(`${level}${String(index).padStart(3, "0")}`, at);
        const fault = await faultOf(1, changed);
        expect(fault).toBeDefined();
        expect(await faultOf(threads, changed)).toEqual(fault);
      }),
      { numRuns: 8 },
    );
  });

  test("names the first of several faults", async () => {
    const [a, b] = [withByte(bundlePath(9), 5), withByte(bundlePath(14), 5)];
    const both = { read: (path: string) => (path === bundlePath(9) ? a.read(path) : b.read(path)) };
    for (const threads of [1, 2, 3]) expect(await faultOf(threads, both)).toMatchObject({ path: bundlePath(9) });
  });

  test("that is dead at once leaves the work to the caller's thread", async () => {
    let started = 0;
    toEachWorker((worker) => {
      started += 1;
      void worker.terminate();
    });
    expect(await faultOf(2)).toBeUndefined();
    expect(await faultOf(2, withByte(bundlePath(13), 77))).toMatchObject({ kind: "entry", path: bundlePath(13) });
    expect(started).toBe(4);
  });

  test.each([1, 2])("of which %i of two die in the middle of their work is no hindrance", async (dying) => {
    for (const reader of [log.reader, withByte(bundlePath(15), 77)]) {
      const workers: Worker[] = [];
      toEachWorker((worker) => workers.push(worker));
      let [reads, killed] = [0, 0];
      const killing = {
        read: async (path: string) => {
          reads += 1;
          if (reads % 7 === 0 && killed < dying) void workers[killed++]?.terminate();
          return reader.read(path);
        },
      };
      const fault = await faultOf(2, killing);
      expect(fault?.path).toBe(reader === log.reader ? undefined : bundlePath(15));
      expect([workers.length, killed]).toEqual([2, dying]);
      process.off("worker", listener ?? expect.fail);
    }
  });

  test.each([1, 2])("of which %i of two says nothing any more is not waited for, and is ended", async (silent) => {
    const ended: Promise<unknown>[] = [];
    let left = silent;
    toEachWorker((worker) => {
      if (left-- <= 0) return;
      // Its thread works, and nobody hears of it.
      worker.removeAllListeners("message");
      ended.push(new Promise((resolve) => worker.once("exit", resolve)));
    });
    const check = { tiles: log.reader, anyEntries: false };
    const crew = startCrew(check, { bundles: 16, threads: 2, patienceMs: 400 });
    if (crew === undefined) throw new Error("no crew");
    // The event that a thread was started comes a moment later.
    await new Promise((resolve) => process.nextTick(resolve));
    const roots: (Uint8Array | undefined)[] = [];
    for (let index = 0; index < 16; index++) roots.push((await crew.take(index))?.root);
    const tile = await log.reader.read("tile/1/000.p/16");
    for (const [index, root] of roots.entries()) {
      if (root) expect(Buffer.from(root)).toEqual(Buffer.from(tile?.subarray(32 * index, 32 * index + 32) ?? []));
    }
    // The first of them held the first run of eight, at the least.
    expect(roots.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => undefined));
    await crew.close();
    expect(ended).toHaveLength(silent);
    await Promise.all(ended);
  });

  test("that could not read what is there again later leaves it to the caller's thread", async () => {
    let asked = 0;
    const flickering = {
      read: async (path: string) => {
        if (path !== bundlePath(5)) return log.reader.read(path);
        asked += 1;
        if (asked === 1) throw new Error("not now");
        return log.reader.read(path);
      },
    };
    expect(await faultOf(2, flickering)).toBeUndefined();
    expect(asked).toBe(2);
  });

  test("is not waited for when the verdict is there", async () => {
    const left: Promise<unknown>[] = [];
    toEachWorker((worker) => left.push(new Promise((resolve) => worker.once("exit", resolve))));
    expect(await faultOf(3, withByte(bundlePath(0), 5))).toMatchObject({ path: bundlePath(0) });
    expect(left).toHaveLength(3);
    await Promise.all(left);
  });

  test.each([0, 1, -3, 0.5, Number.NaN])("of %d is none", async (threads) => {
    let started = 0;
    toEachWorker(() => {
      started += 1;
    });
    expect(await faultOf(threads)).toBeUndefined();
    expect(started).toBe(0);
  });

  test("is not started for a small log, unless it is asked for", async () => {
    let started = 0;
    toEachWorker(() => {
      started += 1;
    });
    expect(await verifyLog({ tiles: log.reader, verifierKeys })).toMatchObject({ ok: true });
    expect(started).toBe(0);
    expect(await verifyLog({ tiles: log.reader, verifierKeys, threads: 2 })).toMatchObject({ ok: true });
    expect(started).toBe(2);
  });
});
