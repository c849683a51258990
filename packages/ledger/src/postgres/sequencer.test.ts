import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LedgerError, verifyInclusion, verifyLog } from "../index.ts";
import { testEntry, testKey } from "../test-entries.ts";
import type { Sequencer, SequencerOptions } from "./index.ts";
import { createTestLog, signCheckpoint, type TestLog, testOrigin, testVerifierKeys, until } from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let log: TestLog;
let started: Sequencer[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  log = await createTestLog(await postgres.createDatabase());
});
afterEach(async () => {
  await Promise.all(started.map((sequencer) => sequencer.stop()));
  started = [];
  await log.remove();
});

const start = (more: Partial<SequencerOptions> = {}): Sequencer => {
  const sequencer = log.sequencer(more);
  started.push(sequencer);
  sequencer.start();
  return sequencer;
};
const entriesOf = (name: string, count: number) => Array.from({ length: count }, (_, n) => testEntry(`${name} ${n}`));
const idsOf = (entries: readonly { operationId: Uint8Array }[]) => entries.map(({ operationId }) => operationId);
const verify = () =>
  verifyLog({ tiles: log.tiles, openings: log.openings, verifierKeys: testVerifierKeys, origin: testOrigin });
const soon = { timeoutMs: 10_000 };
const halted = expect.objectContaining({ code: "log-halted" });

const logSome = async (count: number, name = "some"): Promise<void> => {
  const sequencer = start();
  const entries = entriesOf(name, count);
  await log.append(entries);
  sequencer.wake();
  await sequencer.waitLogged(idsOf(entries), soon);
  await sequencer.stop();
};

describe("the sequencer", () => {
  test("logs entries in intake order, each with a proof against a signed checkpoint", async () => {
    const sequencer = start();
    const entries = entriesOf("ordered", 300);
    await log.append(entries);
    sequencer.wake();
    const logged = await sequencer.waitLogged(idsOf(entries), soon);
    expect(logged.map(({ index }) => index)).toEqual(entries.map((_, n) => n));
    const head = await sequencer.head();
    for (const { index, size, leafHash, proof } of logged) {
      expect(verifyInclusion({ index, size, leafHash, proof, root: head?.root ?? new Uint8Array(0) })).toBe(true);
    }
    expect(await verify()).toMatchObject({ ok: true, size: 300, openingsChecked: true });
    expect(log.errors).toEqual([]);
  });

  test("answers for entries that were logged before anybody asked, and proves them anew", async () => {
    await logSome(5);
    const sequencer = start();
    const [, second] = entriesOf("some", 2);
    const id = second?.operationId ?? new Uint8Array(0);
    expect(await sequencer.waitLogged([id], soon)).toMatchObject([{ index: 1, size: 5 }]);
    expect(await sequencer.entry(id)).toMatchObject({ index: 1 });
    expect(await sequencer.prove(1)).toMatchObject({ size: 5 });
    expect(await sequencer.prove(5)).toBeUndefined();
    expect(await sequencer.entry(testKey("never"))).toBeUndefined();
  });

  test("finds what another process put into the intake, without being woken", async () => {
    const sequencer = start();
    await until(() => sequencer.state() === "leading");
    const entries = entriesOf("unannounced", 1);
    const waiting = sequencer.waitLogged(idsOf(entries), { timeoutMs: 1000 });
    await log.append(entries);
    expect(await waiting).toMatchObject([{ index: 0 }]);
  });

  test("keeps up with many writers, in ticks that grow with the load", async () => {
    const sequencer = start();
    let left = 60;
    const write = async (writer: number): Promise<void> => {
      while (left-- > 0) {
        const entries = entriesOf(`writer ${writer} ${left}`, 20);
        await log.append(entries);
        sequencer.wake();
        await sequencer.waitLogged(idsOf(entries), soon);
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map(write));
    expect(await verify()).toMatchObject({ ok: true, size: 1200 });
    expect((await log.tiles.read("tile/0/000.p/20")) ?? "dropped").toBe("dropped");
  });

  test("tells a waiter in time that it was in vain, and logs the entry later all the same", async () => {
    let open = false;
    const sign: SequencerOptions["sign"] = async (request) => {
      if (!open) throw new Error("the keyholder is away");
      return signCheckpoint(request);
    };
    const sequencer = start({ sign });
    const entries = entriesOf("late", 3);
    await log.append(entries);
    sequencer.wake();
    const timeout = expect.objectContaining({ code: "wait-timeout" });
    await expect(sequencer.waitLogged(idsOf(entries), { timeoutMs: 150 })).rejects.toThrow(timeout);
    expect(await sequencer.head()).toBeUndefined();
    await until(() => log.errors.length > 0);
    open = true;
    expect(await sequencer.waitLogged(idsOf(entries), soon)).toHaveLength(3);
    expect(await verify()).toMatchObject({ ok: true, size: 3 });
  });

  test("tells waiters when it is stopped", async () => {
    const sequencer = start();
    const waiting = expect(sequencer.waitLogged([testKey("never")], soon)).rejects.toThrow(
      expect.objectContaining({ code: "sequencer-stopped" }),
    );
    await sequencer.stop();
    await waiting;
  });

  test("is led by one process, and taken over by another", async () => {
    const first = start();
    await until(() => first.state() === "leading");
    const second = start();
    const entries = entriesOf("two leaders", 10);
    await log.append(entries);
    expect(await second.waitLogged(idsOf(entries), soon)).toHaveLength(10);
    expect(second.state()).toBe("standby");
    await first.stop();
    await until(() => second.state() === "leading");
    const more = entriesOf("after", 10);
    await log.append(more);
    second.wake();
    expect((await second.waitLogged(idsOf(more), soon)).map(({ index }) => index)).toEqual(more.map((_, n) => n + 10));
    expect(await verify()).toMatchObject({ ok: true, size: 20 });
  });

  test("loses its lead to a newer epoch, and leaves the log whole", async () => {
    const sequencer = start();
    await until(() => sequencer.state() === "leading");
    await log.pool.query("update ledger.head set epoch = epoch + 1");
    const entries = entriesOf("epoch", 4);
    await log.append(entries);
    sequencer.wake();
    expect(await sequencer.waitLogged(idsOf(entries), soon)).toHaveLength(4);
    expect(log.errors).toMatchObject([{ name: "LeadLost" }]);
    expect(await verify()).toMatchObject({ ok: true, size: 4 });
  });

  test("goes on when its sessions are cut and when Postgres is killed and comes back", async () => {
    const sequencer = start();
    const entries = entriesOf("cut", 400);
    let at = 0;
    let failed = 0;
    const write = async (): Promise<void> => {
      while (at < entries.length) {
        const batch = entries.slice(at, at + 10);
        at += 10;
        for (let done = false; !done; ) {
          done = await log.append(batch).then(
            () => true,
            () => false,
          );
          if (!done) failed++;
          sequencer.wake();
          await new Promise((resolve) => setTimeout(resolve, done ? 5 : 50));
        }
      }
    };
    const writing = write();
    await until(async () => ((await sequencer.head())?.size ?? 0) > 30);
    await log.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
    await until(async () => ((await sequencer.head())?.size ?? 0) > 150);
    await postgres.kill();
    await postgres.restart();
    await writing;
    expect(await sequencer.waitLogged(idsOf(entries), { timeoutMs: 20_000 })).toHaveLength(400);
    expect(failed).toBeGreaterThan(0);
    expect(sequencer.state()).toBe("leading");
    expect(await verify()).toMatchObject({ ok: true, size: 400 });
  });
});

describe("recovery", () => {
  test("brings out what was sequenced and never signed, and signs nothing else", async () => {
    await logSome(7);
    const dying = start({ sign: () => Promise.reject(new Error("killed before signing")) });
    const unsigned = entriesOf("unsigned", 300);
    await log.append(unsigned);
    dying.wake();
    await until(async () => (await log.tiles.read("tile/0/000")) !== undefined);
    await dying.stop();
    await log.append(entriesOf("later", 5));
    const next = start();
    const logged = await next.waitLogged(idsOf(unsigned), soon);
    expect(logged.map(({ index }) => index)).toEqual(unsigned.map((_, n) => n + 7));
    await until(async () => (await next.head())?.size === 312);
    expect(await verify()).toMatchObject({ ok: true, size: 312 });
  });

  test("takes a checkpoint that was published and not noted", async () => {
    await logSome(7);
    await log.pool.query("update ledger.head set published_size = 0, published_root = $1", [testKey("stale")]);
    const sequencer = start();
    await until(() => sequencer.state() === "leading");
    await logSome(3, "more");
    expect(await verify()).toMatchObject({ ok: true, size: 10 });
  });

  const expectHalt = async (message: RegExp, more: Partial<SequencerOptions> = {}): Promise<void> => {
    const sequencer = start(more);
    await until(() => sequencer.state() === "halted");
    expect(log.errors.at(-1)).toBeInstanceOf(LedgerError);
    expect(log.errors.at(-1)).toMatchObject({ message: expect.stringMatching(message) });
    await expect(sequencer.waitLogged([testKey("any")], soon)).rejects.toThrow(halted);
  };

  test("halts when the database was rolled back", async () => {
    await logSome(5);
    await log.pool.query("delete from ledger.entry where idx >= 3");
    await log.pool.query("update ledger.head set size = 3, published_size = 3");
    await expectHalt(/5 entries and the database 3: it was rolled back/);
  });

  test("halts when the folder was rolled back", async () => {
    await logSome(5);
    const old = await readFile(join(log.folders.tiles, "checkpoint"));
    await logSome(5, "more");
    await writeFile(join(log.folders.tiles, "checkpoint"), old);
    await expectHalt(/the folder was rolled back/);
  });

  test("halts when the folder was lost", async () => {
    await logSome(5);
    await rm(join(log.folders.tiles, "checkpoint"));
    await expectHalt(/the folder was rolled back/);
  });

  test("halts when the database was lost", async () => {
    await logSome(5);
    await log.pool.query("delete from ledger.head");
    await expectHalt(/whose head the database does not know/);
  });

  test("halts when the root differs at the same size", async () => {
    await logSome(5);
    await log.pool.query("update ledger.head set root = $1", [testKey("other root")]);
    await expectHalt(/the published root is not the database's/);
  });

  test("halts when a tile changed", async () => {
    await logSome(5);
    const path = join(log.folders.tiles, "tile/0/000.p/5");
    const bytes = await readFile(path);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expectHalt(/do not have the root/);
  });

  test("halts when a tile that it must write is there with other content", async () => {
    await logSome(5);
    await writeFile(join(log.folders.tiles, "tile/0/000.p/6"), "something else");
    await log.append(entriesOf("sixth", 1));
    await expectHalt(/exists with other content/);
  });

  test("halts when the checkpoint is another log's, or no known key signed it", async () => {
    await logSome(5);
    await expectHalt(/another log/, { origin: "force.example/other" });
    await expectHalt(/not ours/, { verifierKeys: [] });
  });

  test("halts when a waiting row was damaged in the database", async () => {
    await logSome(1);
    await log.append(entriesOf("damaged", 1));
    await log.pool.query(
      "update ledger.intake set openings = openings || '\\x00' where seq = (select max(seq) from ledger.intake)",
    );
    await expectHalt(/no longer fit/);
  });

  test("halts when the signer refuses for good, or signs something else", async () => {
    await log.append(entriesOf("refused", 1));
    await expectHalt(/no such tree/, {
      sign: () => Promise.reject(new LedgerError("signature-refused", "no such tree")),
    });
    await expectHalt(/another checkpoint/, {
      sign: async (request) => signCheckpoint({ ...request, size: request.size + 1 }),
    });
  });
});
