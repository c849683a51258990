import { mkdir, readFile, rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFolderStorage } from "../storage/folder-storage.ts";
import { readHead } from "./head.ts";
import { openRestores, rebuildDatabase, rebuildFolder, type SequencerOptions, settleRestores } from "./index.ts";
import { backUpDatabase, copyFolders, entriesOf, fsck, logAll, signerFile, startCell, verify } from "./test-cells.ts";
import {
  createTestLog,
  createTestSigner,
  signCheckpoint,
  type TestLog,
  testOrigin,
  testVerifierKeys,
  until,
} from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let log: TestLog;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  log = await createTestLog(await postgres.createDatabase());
  await logAll(log, entriesOf("first", 260));
});
afterEach(() => log.remove());

const haltedBy = async (more: Partial<SequencerOptions> = {}): Promise<string> => {
  const errors: unknown[] = [];
  const sign = createTestSigner(signerFile(log));
  const sequencer = log.sequencer({ sign, ...more, onError: (error) => errors.push(error) });
  sequencer.start();
  try {
    await until(() => sequencer.state() === "halted", 30_000);
  } finally {
    await sequencer.stop();
  }
  return String(errors[0]);
};

const place = () => ({
  ...{ pool: log.pool, tiles: log.tiles, openings: log.openings },
  ...{ origin: testOrigin, verifierKeys: testVerifierKeys },
});
const signing = () => ({ ...place(), sign: createTestSigner(signerFile(log)) });
const headOf = async () => {
  const client = await log.pool.connect();
  try {
    return await readHead(client);
  } finally {
    client.release();
  }
};
const refusedBecause = (words: string) =>
  expect.objectContaining({ code: "log-halted", message: expect.stringContaining(words) });

describe("a database restored from an old backup", () => {
  beforeEach(async () => {
    const restore = await backUpDatabase(log);
    await logAll(log, entriesOf("second", 300));
    await restore();
  });

  test("halts the log, and fsck says that the database was rolled back", async () => {
    expect(await haltedBy()).toContain("560 entries and the database 260: it was rolled back");
    expect(await fsck(log)).toMatchObject({
      ok: false,
      faults: [{ place: "database", table: "head", message: expect.stringContaining("rolled back") }],
    });
    expect(await verify(log)).toMatchObject({ ok: true, size: 560 });
  });

  test("is rebuilt from the folder, goes on, and the restore is kept until somebody dealt with it", async () => {
    expect(await rebuildDatabase(place())).toEqual({ from: 260, size: 560 });
    expect(await fsck(log)).toEqual({ ok: true, size: 560, published: 560, waiting: 0 });
    const open = await openRestores(log.pool);
    expect(open).toMatchObject([{ fromSize: 260, toSize: 560 }]);
    await settleRestores(
      log.pool,
      open.map(({ id }) => id),
    );
    expect(await openRestores(log.pool)).toEqual([]);
    await logAll(log, entriesOf("third", 20));
    expect(await fsck(log)).toEqual({ ok: true, size: 580, published: 580, waiting: 0 });
  });

  test("never logs a second time what it forgot, rows that waited in the backup among them", async () => {
    await log.append(entriesOf("second", 40).map((entry) => entry));
    // The same events, prepared anew: other salts, so another leaf of the same operation.
    await expect(rebuildDatabase(place())).rejects.toThrow(refusedBecause("is not the folder's"));
    await log.pool.query(
      "delete from ledger.waiting; delete from ledger.intake where seq not in (select seq from ledger.entry)",
    );
    await rebuildDatabase(place());
    expect(await log.append(entriesOf("second", 40))).toEqual(Array.from({ length: 40 }, () => "conflict"));
    expect(await fsck(log)).toMatchObject({ ok: true, size: 560, waiting: 0 });
  });

  test("is not rebuilt from a folder that does not verify, nor while a process leads", async () => {
    const leader = log.sequencer();
    leader.start();
    await until(() => leader.state() === "halted", 30_000);
    await leader.stop();
    const before = await headOf();
    const damaged = {
      read: async (path: string) => (path === "tile/entries/001" ? new Uint8Array(9) : log.tiles.read(path)),
    };
    await expect(rebuildDatabase({ ...place(), tiles: damaged })).rejects.toThrow(refusedBecause("does not verify"));
    expect(await headOf()).toEqual(before);
  });
});

describe("a database that is lost", () => {
  test("is rebuilt from the folder into an empty one", async () => {
    await log.pool.query("delete from ledger.head; delete from ledger.entry; delete from ledger.intake");
    expect(await haltedBy()).toContain("the folder holds a log whose head the database does not know");
    expect(await rebuildDatabase(place())).toEqual({ from: 0, size: 260 });
    expect(await fsck(log)).toEqual({ ok: true, size: 260, published: 260, waiting: 0 });
    await logAll(log, entriesOf("third", 20));
    expect(await verify(log)).toMatchObject({ ok: true, size: 280 });
  });

  describe("after a checkpoint that was signed and never published", () => {
    const lastSigned = async () => {
      const { size, root } = JSON.parse(await readFile(signerFile(log), "utf8"));
      return { size, root: Buffer.from(root, "hex") };
    };
    beforeEach(async () => {
      await log.append(entriesOf("signed", 300));
      const leader = startCell(log, { moment: "signed" });
      expect(await leader.ended, leader.said()).toEqual([null, "SIGKILL"]);
      await log.pool.query("delete from ledger.head; delete from ledger.entry; delete from ledger.intake");
    });

    test("comes back with what was signed, and publishes it", async () => {
      expect(await rebuildDatabase({ ...place(), lastSigned })).toEqual({ from: 0, size: 560 });
      expect(await fsck(log)).toMatchObject({ size: 560, published: 260 });
      await logAll(log, entriesOf("third", 20));
      expect(await fsck(log)).toEqual({ ok: true, size: 580, published: 580, waiting: 0 });
      expect(await verify(log)).toMatchObject({ ok: true, size: 580 });
    });

    test("is not rebuilt from a folder that holds other entries than those signed, or not all of them", async () => {
      const tile = "tile/entries/002.p/48";
      const read = (bytes: (found: Uint8Array) => Uint8Array | undefined) => ({
        read: async (path: string) => {
          const found = await log.tiles.read(path);
          return path === tile && found ? bytes(found) : found;
        },
      });
      const forged = read((found) => found.with(100, 1 ^ (found[100] ?? 0)));
      for (const [tiles, words] of [
        [forged, "holds others"],
        [read(() => undefined), "does not hold them all"],
      ] as const) {
        await expect(rebuildDatabase({ ...place(), tiles, lastSigned })).rejects.toThrow(refusedBecause(words));
      }
      expect(await headOf()).toBeUndefined();
    });

    test("comes back as published where nobody says what was signed; the signer then halts it", async () => {
      expect(await rebuildDatabase(place())).toEqual({ from: 0, size: 260 });
      expect(await haltedBy({ lastSigned })).toContain("the signer signed 560 entries and the database has 260");
    });
  });

  test("is not rebuilt from a folder that is older than it, or of another history", async () => {
    const restore = await copyFolders(log);
    await logAll(log, entriesOf("second", 10));
    await restore();
    await expect(rebuildDatabase(place())).rejects.toThrow(refusedBecause("the folder is the older one"));
    await log.pool.query("update ledger.intake set leaf = set_byte(leaf, 70, get_byte(leaf, 70) # 1) where seq = 5");
    await log.pool.query("update ledger.head set size = 100, published_size = 100");
    const before = await headOf();
    await expect(rebuildDatabase(place())).rejects.toThrow(refusedBecause("entry 4 is not the folder's"));
    expect(await headOf()).toEqual(before);
  });

  test("is not rebuilt while a process leads", async () => {
    const leader = log.sequencer({ sign: createTestSigner(signerFile(log)) });
    leader.start();
    await until(() => leader.state() === "leading", 30_000);
    await expect(rebuildDatabase(place())).rejects.toThrow(refusedBecause("a process leads"));
    await expect(rebuildFolder(signing())).rejects.toThrow(refusedBecause("a process leads"));
    await leader.stop();
  });
});

describe("a folder restored from an old copy", () => {
  test("halts the log, is named, and is derived again from the database", async () => {
    const restore = await copyFolders(log);
    await logAll(log, entriesOf("second", 300));
    await restore();
    expect(await haltedBy()).toContain("the folder was rolled back");
    expect(await fsck(log)).toMatchObject({ ok: false, faults: [{ place: "database", table: "head" }] });
    expect(await rebuildFolder(signing())).toEqual({ size: 560 });
    expect(await fsck(log)).toEqual({ ok: true, size: 560, published: 560, waiting: 0 });
    await logAll(log, entriesOf("third", 300));
    expect(await fsck(log)).toEqual({ ok: true, size: 860, published: 860, waiting: 0 });
  });

  test.each([260, 512, 700])("that is empty is derived whole for %i entries", async (size) => {
    if (size > 260) await logAll(log, entriesOf("second", size - 260));
    for (const folder of [log.folders.tiles, log.folders.openings]) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
    expect(await haltedBy()).toContain("the folder was rolled back");
    const [tiles, openings] = [freshStorage(log.folders.tiles), freshStorage(log.folders.openings)];
    await rebuildFolder({ ...signing(), tiles, openings });
    expect(await fsck(log)).toEqual({ ok: true, size, published: size, waiting: 0 });
    await logAll({ ...log, ...restarted() }, entriesOf("third", 9));
    expect(await verify(log)).toMatchObject({ ok: true, size: size + 9 });
  });

  test("is not derived over other bytes, nor over a checkpoint of another log of ours: a fork", async () => {
    const path = "tile/0/000";
    const bytes = (await log.tiles.read(path)) ?? new Uint8Array(0);
    await log.tiles.replace({ path, bytes: bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) });
    await expect(rebuildFolder(signing())).rejects.toThrow(expect.objectContaining({ code: "tile-conflict" }));
    expect((await log.tiles.read(path))?.[9]).toBe((bytes[9] ?? 0) ^ 1);
    await log.tiles.replace({ path, bytes });
    const forked = signCheckpoint({ size: 100, root: new Uint8Array(32).fill(7) });
    await log.tiles.replace({ path: "checkpoint", bytes: forked });
    await expect(rebuildFolder(signing())).rejects.toThrow(refusedBecause("a fork"));
    expect(await log.tiles.read("checkpoint")).toEqual(Buffer.from(forked));
  });
});

describe("a signer that remembers", () => {
  test("more than database and folder, which were rolled back together, halts the log", async () => {
    const [restore, restoreFolders] = [await backUpDatabase(log), await copyFolders(log)];
    await logAll(log, entriesOf("second", 10));
    const signed = await headOf();
    await restore();
    await restoreFolders();
    const lastSigned = async () => ({ size: signed?.size ?? 0, root: signed?.root ?? new Uint8Array(32) });
    expect(await haltedBy({ lastSigned })).toContain("the database was rolled back, and the folder with it");
    await expect(rebuildFolder({ ...signing(), lastSigned })).rejects.toThrow(refusedBecause("rolled back"));
    // Also without being asked first, the signer does not sign another history.
    await log.append(entriesOf("other", 4));
    expect(await haltedBy()).toContain("does not extend");
  });

  test("less than was published, or another root of the same size, halts the log", async () => {
    const head = await headOf();
    const size = head?.size ?? 0;
    const root = new Uint8Array(32).fill(1);
    expect(await haltedBy({ lastSigned: async () => ({ size: 100, root }) })).toContain("the signer was rolled back");
    expect(await haltedBy({ lastSigned: async () => ({ size, root }) })).toContain("signed another root");
    const sequencer = log.sequencer({ lastSigned: async () => ({ size, root: head?.root ?? root }) });
    sequencer.start();
    await until(() => sequencer.state() === "leading", 30_000);
    await sequencer.stop();
  });
});

const freshStorage = (folder: string) => createFolderStorage(folder);
const restarted = () => ({
  sequencer: (more: Partial<SequencerOptions> = {}) =>
    log.sequencer({ ...more, tiles: freshStorage(log.folders.tiles), openings: freshStorage(log.folders.openings) }),
});
