import { spawnSync } from "node:child_process";
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { createFolderStorage } from "../storage/folder-storage.ts";
import type { LogStorage } from "../storage/tile-storage.ts";
import type { Sequencer } from "./sequencer.ts";
import { entriesOf, fsck, logAll, signerFile, startCell, verify } from "./test-cells.ts";
import { createTestLog, createTestSigner, type TestLog, until } from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let log: TestLog;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  log = await createTestLog(await postgres.createDatabase());
  await logAll(log, entriesOf("before", 230));
});
afterEach(() => log.remove());

const expectWhole = async (size: number) => {
  expect(log.errors).toEqual([]);
  expect(await verify(log)).toMatchObject({ ok: true, size });
  expect(await fsck(log)).toEqual({ ok: true, size, published: size, waiting: 0 });
};

describe("kill -9", () => {
  test.each([
    "sequenced",
    "openings",
    "deriving",
    "derived",
    "signing",
    "signed",
    "publishing",
    "published",
    "clearing",
  ])("of a leader at the moment %j loses, repeats and forks nothing", async (moment) => {
    const entries = entriesOf("meant", 70);
    await log.append(entries);
    const leader = startCell(log, { moment });
    expect(await leader.ended, leader.said()).toEqual([null, "SIGKILL"]);
    expect(leader.said()).not.toContain("Error");
    await logAll(log, entries, { appended: true });
    await expectWhole(300);
    await logAll(log, entriesOf("after", 3));
    await expectWhole(303);
  });

  test("after the intake's commit loses nothing", async () => {
    const caller = startCell(log, { moment: "intake" });
    expect(await caller.ended, caller.said()).toEqual([null, "SIGKILL"]);
    expect(await fsck(log)).toEqual({ ok: true, size: 230, published: 230, waiting: 70 });
    await logAll(log, entriesOf("killed at intake", 70), { appended: true });
    await expectWhole(300);
  });
});

describe("a leader that is frozen while a standby takes over", () => {
  const appendAndWait = async (sequencer: Sequencer, name: string, count: number) => {
    const entries = entriesOf(name, count);
    await log.append(entries);
    sequencer.wake();
    await sequencer.waitLogged(
      entries.map(({ operationId }) => operationId),
      { timeoutMs: 60_000 },
    );
  };
  const freeze = async (cell: { moment: string; idleSessionMs?: number }, pauseMs: number) => {
    const frozen = startCell(log, { ...cell, signal: "SIGSTOP" });
    await until(() => frozen.said().includes("leading"), 30_000);
    if (cell.moment === "idle") frozen.child.kill("SIGSTOP");
    const wakesAt = Date.now() + pauseMs;
    const standby = log.sequencer({ sign: createTestSigner(signerFile(log)) });
    standby.start();
    try {
      await appendAndWait(standby, "meant", 40);
      await until(() => standby.state() === "leading", 30_000);
      await appendAndWait(standby, "later", 20);
      await until(() => Date.now() >= wakesAt, pauseMs + 10_000);
      frozen.child.kill("SIGCONT");
      await until(() => frozen.said().trim().endsWith("standby"), 30_000);
      expect(standby.state()).toBe("leading");
      await appendAndWait(standby, "more", 10);
    } finally {
      frozen.child.kill("SIGKILL");
      await standby.stop();
    }
    await frozen.ended;
    await expectWhole(300);
  };

  test.each(["sequenced", "derived", "signing", "signed", "publishing", "idle"])(
    "at the moment %j steps down when it wakes, and publishes nothing",
    (moment) => freeze({ moment, idleSessionMs: 700 }, 0),
  );

  test(
    "steps down also after 30 s, with the patience that a service has",
    () => freeze({ moment: "signed" }, 30_000),
    150_000,
  );
});

const eio = (): LedgerError =>
  new LedgerError("storage-failed", "the log's folder cannot be written: EIO", { cause: new Error("EIO") });

/** Storage whose n-th call of one kind fails as a broken disk does. */
const breaking = (storage: LogStorage, kind: keyof LogStorage, nth: number): LogStorage => {
  let calls = 0;
  const broken = (name: keyof LogStorage) => name === kind && ++calls === nth;
  return {
    read: async (path) => (broken("read") ? Promise.reject(eio()) : storage.read(path)),
    writeOnce: async (files) => (broken("writeOnce") ? Promise.reject(eio()) : storage.writeOnce(files)),
    replace: async (file) => (broken("replace") ? Promise.reject(eio()) : storage.replace(file)),
    dropPartials: async (paths) => (broken("dropPartials") ? Promise.reject(eio()) : storage.dropPartials(paths)),
  };
};

/**
 * Makes the folder a file system of two megabytes. Where this process may not mount it says why not; a run that decides
 * what is merged must be able to, and throws.
 */
const mountSmallDisk = (place: string): string | undefined => {
  const { status, stderr, error } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", place]);
  if (status === 0) return undefined;
  const refusal = `not tested, this process may not mount: ${(error?.message ?? String(stderr)).trim()}`;
  if (process.env.CI) throw new Error(`${refusal}; run the tests as root, with CAP_SYS_ADMIN`);
  console.warn(refusal);
  return refusal;
};

describe("a disk that fails", () => {
  test.each([
    ["tiles", "read", [1, 2, 3, 5, 8]],
    ["tiles", "writeOnce", [1]],
    ["tiles", "replace", [1]],
    ["tiles", "dropPartials", [1]],
    ["openings", "writeOnce", [1]],
  ] as const)("with EIO in %s.%s halts nothing: the same is tried again", async (folder, kind, times) => {
    let size = 230;
    for (const nth of times) {
      const errors: unknown[] = [];
      const sequencer = log.sequencer({
        [folder]: breaking(log[folder], kind, nth),
        sign: createTestSigner(signerFile(log)),
        onError: (error) => errors.push(error),
      });
      const entries = entriesOf(`${folder} ${kind} ${nth}`, 30);
      await log.append(entries);
      sequencer.start();
      await sequencer.waitLogged(
        entries.map(({ operationId }) => operationId),
        { timeoutMs: 30_000 },
      );
      await sequencer.stop();
      expect(errors).toEqual([expect.objectContaining({ code: "storage-failed" })]);
      size += 30;
      await expectWhole(size);
    }
  });

  const full = ["tiles", "openings"] as const;
  test.for(full)("because %s is full goes on when there is room again", async (folder, { skip }) => {
    const place = log.folders[folder];
    const refusal = mountSmallDisk(place);
    if (refusal !== undefined) skip(refusal);
    try {
      const errors: unknown[] = [];
      const fresh = await createTestLog(await postgres.createDatabase());
      const storage = createFolderStorage(place);
      const filler = join(place, "filler");
      const piece = Buffer.alloc(4096, 1);
      try {
        for (;;) appendFileSync(filler, piece);
      } catch {
        // Full.
      }
      const entries = entriesOf("full", 300);
      await fresh.append(entries);
      const sequencer = fresh.sequencer({ [folder]: storage, onError: (error) => errors.push(error) });
      sequencer.start();
      await until(() => errors.length > 0, 30_000);
      expect(errors[0]).toMatchObject({ code: "storage-failed", message: expect.stringContaining("ENOSPC") });
      expect(await fresh.tiles.read("checkpoint")).toBeUndefined();
      rmSync(filler);
      await sequencer.waitLogged(
        entries.map(({ operationId }) => operationId),
        { timeoutMs: 30_000 },
      );
      await sequencer.stop();
      const whole = { ...fresh, [folder]: storage };
      expect(await fsck(whole)).toEqual({ ok: true, size: 300, published: 300, waiting: 0 });
      await fresh.remove();
    } finally {
      spawnSync("umount", ["-l", place]);
    }
  });
});
