import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  createNoteSigner,
  edgeRoot,
  emptyEdge,
  encodeCheckpoint,
  extendEdge,
  LedgerError,
  parseVerifierKey,
  signNote,
  type VerifyLogInput,
  verifyLog,
} from "./index.ts";
import { createFolderStorage, createScratch } from "./storage/folder-storage.ts";
import { openingsFiles } from "./storage/openings-files.ts";
import { testEntry, testKey } from "./test-entries.ts";

const SIZE = 600;
const origin = "force.example/log";
const signer = createNoteSigner(origin, testKey("signer"));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];
const tiles = new Map<string, Uint8Array>();
const openings = new Map<string, Uint8Array>();

/** A log's files for whoever reads them: as they are, or in a folder, which the threads of a crew open by themselves. */
type Shelf = (files: Map<string, Uint8Array>) => VerifyLogInput["tiles"];
const inMemory: Shelf = (files) => ({ read: async (path) => files.get(path) });
const folders: string[] = [];
const inFolder: Shelf = (files) => {
  const folder = mkdtempSync(join(tmpdir(), "tipstaff-verify-"));
  folders.push(folder);
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return createFolderStorage(folder);
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const checkpointOf = (size: number, root: Uint8Array) => signNote(encodeCheckpoint({ origin, size, root }), [signer]);

beforeAll(() => {
  const entries = Array.from({ length: SIZE }, (_, n) => testEntry(`${n}`));
  const { edge, files } = extendEdge(
    emptyEdge,
    entries.map(({ leaf }) => leaf),
  );
  for (const file of files) tiles.set(file.path, file.bytes);
  for (const file of openingsFiles(
    0,
    entries.map((entry) => entry.openings),
  ))
    openings.set(file.path, file.bytes);
  tiles.set("checkpoint", checkpointOf(SIZE, edgeRoot(edge)));
});

const withByte = (files: Map<string, Uint8Array>, path: string, at: number): Map<string, Uint8Array> => {
  const bytes = Uint8Array.from(files.get(path) ?? []);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return new Map(files).set(path, bytes);
};
const without = (files: Map<string, Uint8Array>, path: string): Map<string, Uint8Array> => {
  const fewer = new Map(files);
  fewer.delete(path);
  return fewer;
};

describe.each([
  { how: "on one thread", threads: 1, readerOf: inMemory },
  { how: "on two threads that ask for bytes", threads: 2, readerOf: inMemory },
  { how: "on two threads that read a folder", threads: 2, readerOf: inFolder },
])("verifyLog() $how", ({ threads, readerOf }) => {
  const verify = (changed: { tiles?: Map<string, Uint8Array>; openings?: Map<string, Uint8Array> } = {}) =>
    verifyLog({
      tiles: readerOf(changed.tiles ?? tiles),
      openings: readerOf(changed.openings ?? openings),
      verifierKeys,
      origin,
      threads,
    });

  test("accepts a whole log, and tells its progress", async () => {
    const seen: number[] = [];
    const onProgress = ({ entries }: { entries: number }) => seen.push(entries);
    const verdict = await verifyLog({ tiles: readerOf(tiles), verifierKeys, threads, onProgress });
    expect(verdict).toMatchObject({ ok: true, origin, size: SIZE, openingsChecked: false });
    expect(seen).toEqual([256, 512, 600]);
    expect(await verify()).toMatchObject({ ok: true, openingsChecked: true });
  });

  test("accepts an empty log", async () => {
    const empty = new Map([["checkpoint", checkpointOf(0, edgeRoot(emptyEdge))]]);
    expect(await verify({ tiles: empty })).toMatchObject({ ok: true, size: 0 });
  });

  test("accepts a log that has grown beyond its checkpoint, and lost the partial files that are full now", async () => {
    const { edge, files } = extendEdge(emptyEdge, entriesOf().slice(0, 300));
    const grown = new Map(tiles).set("checkpoint", checkpointOf(300, edgeRoot(edge)));
    for (const { path, bytes } of files) if (path.startsWith("tile/1/")) grown.set(path, bytes);
    expect(await verifyLog({ tiles: readerOf(grown), verifierKeys, threads })).toMatchObject({ ok: true, size: 300 });
  });

  const logOf = (leaves: readonly Uint8Array[]) => {
    const { edge, files } = extendEdge(emptyEdge, leaves);
    const log = new Map<string, Uint8Array>(files.map(({ path, bytes }) => [path, bytes]));
    return readerOf(log.set("checkpoint", checkpointOf(leaves.length, edgeRoot(edge))));
  };

  test("names the second of two entries of one operation, near and far, without openings", async () => {
    const again = testEntry("7").leaf;
    for (const at of [8, 100, 255, 256, 511, 599]) {
      const leaves = entriesOf().with(at, again);
      const verdict = await verifyLog({ tiles: logOf(leaves), verifierKeys, threads });
      expect(verdict).toMatchObject({ ok: false, fault: { kind: "entry", index: at } });
      expect(verdict).toMatchObject({ fault: { message: `entry ${at} is of the same operation as entry 7` } });
    }
  });

  test("says when a log is too large for its memory to find an operation twice", async () => {
    const tiles = logOf(entriesOf().with(400, testEntry("7").leaf));
    expect(await verifyLog({ tiles, verifierKeys, threads, mostOperations: 599 })).toMatchObject({
      ok: true,
      operationsChecked: false,
    });
    expect(await verifyLog({ tiles, verifierKeys, threads, mostOperations: 600 })).toMatchObject({ ok: false });
    expect(await verify()).toMatchObject({ ok: true, operationsChecked: true });
  });

  test("finds an operation twice in a log of any size, with a scratch, as it does in memory", async () => {
    const below = mkdtempSync(join(tmpdir(), "tipstaff-scratch-test-"));
    folders.push(below);
    const inScratch = async (tiles: VerifyLogInput["tiles"]) => {
      const scratch = createScratch(below);
      try {
        return await verifyLog({ tiles, verifierKeys, threads, mostOperations: 0, scratch });
      } finally {
        await scratch.close();
        expect(readdirSync(below)).toEqual([]);
      }
    };
    for (const at of [8, 255, 256, 599]) {
      const tiles = logOf(entriesOf().with(at, testEntry("7").leaf).with(599, testEntry("6").leaf));
      const verdict = await inScratch(tiles);
      expect(verdict).toMatchObject({ ok: false, fault: { index: at } });
      expect(verdict).toEqual(await verifyLog({ tiles, verifierKeys, threads }));
    }
    expect(await inScratch(logOf(entriesOf()))).toMatchObject({ ok: true, operationsChecked: true });
  });

  test("with a scratch too names an operation that stands twice before a fault that comes after it, and not before one before", async () => {
    const below = mkdtempSync(join(tmpdir(), "tipstaff-scratch-test-"));
    folders.push(below);
    const whole = logOf(entriesOf().with(300, testEntry("7").leaf));
    for (const [path, index] of [
      ["tile/entries/000", 0],
      ["tile/entries/002.p/88", 300],
    ] as const) {
      const bad = (await whole.read(path))?.slice().fill(9, 2, 3);
      const tiles = { read: async (asked: string) => (asked === path ? bad : whole.read(asked)) };
      const scratch = createScratch(below);
      const verdict = await verifyLog({ tiles, verifierKeys, threads, mostOperations: 0, scratch });
      expect(verdict).toMatchObject({ ok: false, fault: { index } });
      await scratch.close();
    }
  });

  test("rejects where the scratch fails, and calls it no fault of the log", async () => {
    const scratch = createScratch(join(tmpdir(), "tipstaff-no-such-folder"));
    const work = verifyLog({ tiles: logOf(entriesOf()), verifierKeys, threads, mostOperations: 0, scratch });
    await expect(work).rejects.toMatchObject({ code: "storage-failed", message: expect.stringContaining("ENOENT") });
    await scratch.close();
  });

  test("does not take two operations for one because their ids begin alike", async () => {
    const alike = Uint8Array.from(entriesOf()[7] ?? []);
    alike[32] = (alike[32] ?? 0) ^ 1;
    const leaves = entriesOf().with(400, alike);
    expect(await verifyLog({ tiles: logOf(leaves), verifierKeys, threads })).toMatchObject({ ok: true });
    const again = await verifyLog({ tiles: logOf(leaves.with(500, alike)), verifierKeys, threads });
    expect(again).toMatchObject({ ok: false, fault: { kind: "entry", index: 500 } });
  });

  test("names an entry that is no leaf of a known version, without openings", async () => {
    const [leaf = new Uint8Array(0)] = entriesOf();
    for (const strange of [leaf.subarray(1), Uint8Array.from(leaf).fill(2, 0, 1), new Uint8Array(3)]) {
      const verdict = await verifyLog({ tiles: logOf(entriesOf().with(300, strange)), verifierKeys, threads });
      expect(verdict).toMatchObject({ ok: false, fault: { kind: "entry", index: 300 } });
    }
  });

  test("names the entry when a byte of a full bundle changed", async () => {
    const verdict = await verify({ tiles: withByte(tiles, "tile/entries/001", 483 * 44 + 100) });
    const fault = { kind: "entry", path: "tile/entries/001", index: 300, bytes: { from: 483 * 44, to: 483 * 45 } };
    expect(verdict).toMatchObject({ ok: false, fault });
  });

  test("names the entry when a byte of the partial bundle changed", async () => {
    const verdict = await verify({ tiles: withByte(tiles, "tile/entries/002.p/88", 483 * 10 + 2) });
    expect(verdict).toMatchObject({ ok: false, fault: { kind: "entry", index: 522 } });
  });

  test.each([0, 1, 483 * 255 + 1])("names the bundle when the length at byte %i of it changed", async (at) => {
    const verdict = await verify({ tiles: withByte(tiles, "tile/entries/000", at) });
    expect(verdict).toMatchObject({ ok: false, fault: { kind: "entry", path: "tile/entries/000" } });
  });

  test.each([
    ["tile/0/001", 40, { kind: "tile", index: 257, bytes: { from: 32, to: 64 } }],
    ["tile/0/002.p/88", 87 * 32, { kind: "tile", index: 599, bytes: { from: 87 * 32, to: 88 * 32 } }],
    ["tile/1/000.p/2", 33, { kind: "tile", bytes: { from: 32, to: 64 } }],
  ])("names tile and bytes when a byte of %s changed", async (path, at, fault) => {
    expect(await verify({ tiles: withByte(tiles, path, at) })).toMatchObject({ ok: false, fault: { ...fault, path } });
  });

  test("refuses a change of any byte of the checkpoint", async () => {
    const length = tiles.get("checkpoint")?.length ?? 0;
    for (let at = 0; at < length; at++) {
      const verdict = await verify({ tiles: withByte(tiles, "checkpoint", at) });
      expect(verdict).toMatchObject({ ok: false, fault: { kind: "checkpoint", path: "checkpoint" } });
    }
  });

  test("names every file that is missing", async () => {
    for (const path of tiles.keys()) {
      expect(await verify({ tiles: without(tiles, path) })).toMatchObject({
        ok: false,
        fault: { kind: "missing", path },
      });
    }
    for (const path of openings.keys()) {
      const verdict = await verify({ openings: without(openings, path) });
      expect(verdict).toMatchObject({ ok: false, fault: { kind: "missing", path } });
    }
  });

  test("names the entry whose openings changed, by the hash in its leaf", async () => {
    const path = [...openings.keys()][1] ?? "";
    const length = openings.get(path)?.length ?? 0;
    const each = (length - 1) / 256;
    const verdict = await verify({ openings: withByte(openings, path, Math.floor(1 + each * 7 + 100)) });
    expect(verdict).toMatchObject({ ok: false, fault: { kind: "openings", path, index: 263 } });
  });

  test("refuses a checkpoint that a known key signed over another root", async () => {
    const forged = new Map(tiles).set("checkpoint", checkpointOf(SIZE, testKey("another root")));
    expect(await verify({ tiles: forged })).toMatchObject({ ok: false, fault: { kind: "root" } });
  });

  test("refuses another log, another key, and no key", async () => {
    const reader = readerOf(tiles);
    const other = parseVerifierKey(createNoteSigner(origin, testKey("other")).verifierKey);
    for (const input of [
      { verifierKeys, origin: "force.example/other" },
      { verifierKeys: [other] },
      { verifierKeys: [] },
    ]) {
      expect(await verifyLog({ tiles: reader, threads, ...input })).toMatchObject({
        ok: false,
        fault: { kind: "checkpoint" },
      });
    }
  });

  test("rejects where the storage fails, unless something before that does not fit", async () => {
    const failing = (files: Map<string, Uint8Array>) => ({
      read: async (path: string) => {
        if (path.startsWith("tile/entries/001")) throw new LedgerError("storage-failed", "the storage is away");
        return files.get(path);
      },
    });
    const failed = expect.objectContaining({ code: "storage-failed", message: "the storage is away" });
    await expect(verifyLog({ tiles: failing(tiles), verifierKeys, threads })).rejects.toThrow(failed);
    const changed = failing(withByte(tiles, "tile/0/000", 40));
    expect(await verifyLog({ tiles: changed, verifierKeys, threads })).toMatchObject({
      ok: false,
      fault: { kind: "tile", path: "tile/0/000", index: 1 },
    });
  });

  test("refuses a log whose entries and tiles were both rewritten", async () => {
    const entries = entriesOf().with(5, testEntry("forged").leaf);
    const forged = new Map(tiles);
    for (const file of extendEdge(emptyEdge, entries).files) forged.set(file.path, file.bytes);
    const verdict = await verifyLog({ tiles: readerOf(forged), verifierKeys, threads });
    expect(verdict).toMatchObject({ ok: false, fault: { kind: "root" } });
  });
});

const entriesOf = (): Uint8Array[] =>
  [...tiles.entries()]
    .filter(([path]) => path.startsWith("tile/entries"))
    .flatMap(([, bytes]) =>
      Array.from({ length: bytes.length / 483 }, (_, n) => bytes.slice(n * 483 + 2, (n + 1) * 483)),
    );
