import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createWitnessClient, parsePolicy, type WitnessClient } from "../index.ts";
import { rebuildFolder } from "./index.ts";
import { backUpDatabase, copyFolders, entriesOf, fsck, logAll, signerFile, startCell, verify } from "./test-cells.ts";
import {
  createTestLog,
  createTestSigner,
  type TestLog,
  testLogKey,
  testOrigin,
  testVerifierKeys,
  until,
} from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let log: TestLog;
let witness: ReturnType<typeof spawn>;
let policy = "";
let witnesses: WitnessClient;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  log = await createTestLog(await postgres.createDatabase());
  const folder = join(log.folders.tiles, "../witness");
  await mkdir(folder);
  const script = new URL("../witness/test-witness.ts", import.meta.url).pathname;
  witness = spawn(process.execPath, [script, folder, "w.example", testLogKey], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  witness.stdout?.on("data", (text) => {
    said += text;
  });
  await until(() => said.endsWith("\n"), 30_000);
  const [port, key] = said.trim().split(" ");
  policy = `log ${testLogKey}\nwitness w ${key} http://127.0.0.1:${port}\nquorum w\n`;
  witnesses = createWitnessClient({ policy: parsePolicy(new TextEncoder().encode(policy)), deadlineMs: 10_000 });
  await logAll(log, entriesOf("before", 230), { witnesses });
});
afterEach(async () => {
  const ended = once(witness, "exit");
  witness.kill("SIGKILL");
  await ended;
  await log.remove();
});

const isWitnessed = async () => witnesses.isWitnessed((await log.tiles.read("checkpoint")) ?? new Uint8Array(0));

test.each(["signed", "witnessed", "publishing", "published"])(
  "kill -9 of a leader at the moment %j, with a witness, loses, repeats and forks nothing",
  async (moment) => {
    const entries = entriesOf("meant", 70);
    await log.append(entries);
    const leader = startCell(log, { moment, policy });
    expect(await leader.ended, leader.said()).toEqual([null, "SIGKILL"]);
    await logAll(log, entries, { witnesses, appended: true });
    await logAll(log, entriesOf("after", 3), { witnesses });
    expect(log.errors).toEqual([]);
    expect(await verify(log)).toMatchObject({ ok: true, size: 303 });
    expect(await fsck(log)).toEqual({ ok: true, size: 303, published: 303, waiting: 0 });
    expect(await isWitnessed()).toBe(true);
  },
);

test("a witness that is ahead halts a log that was rolled back with its folder and its signer", async () => {
  const [restore, restoreFolders] = [await backUpDatabase(log), await copyFolders(log)];
  await logAll(log, entriesOf("second", 10), { witnesses });
  await restore();
  await restoreFolders();
  await log.append(entriesOf("other", 4));
  const errors: unknown[] = [];
  const forgetful = createTestSigner(undefined, { size: 230, root: await rootOf() });
  const sequencer = log.sequencer({ witnesses, sign: forgetful, onError: (error) => errors.push(error) });
  sequencer.start();
  await until(() => sequencer.state() === "halted", 30_000);
  await sequencer.stop();
  expect(String(errors[0])).toContain("rolled back");
  expect(await verify(log)).toMatchObject({ ok: true, size: 230 });
});

const rootOf = async (): Promise<Uint8Array> => {
  const verdict = await verify(log);
  if (!verdict.ok) throw new Error("the log does not verify");
  return verdict.root;
};

test("a folder that was derived again from the database gets its cosignatures again", async () => {
  expect(await isWitnessed()).toBe(true);
  const restore = await copyFolders(log);
  await logAll(log, entriesOf("second", 10), { witnesses });
  await restore();
  const sign = createTestSigner(signerFile(log));
  await rebuildFolder({ ...log, origin: testOrigin, verifierKeys: testVerifierKeys, sign });
  expect(await isWitnessed()).toBe(false);
  await logAll(log, entriesOf("third", 5), { witnesses });
  expect(await isWitnessed()).toBe(true);
});
