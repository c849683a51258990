import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyLog } from "../index.ts";
import { testEntry } from "../test-entries.ts";
import { createTestLog, createTestSigner, type TestLog, testOrigin, testVerifierKeys } from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

/** More by setting CRASH_ROUNDS. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 6);

let postgres: TestPostgres;
let log: TestLog;
beforeAll(async () => {
  postgres = await startTestPostgres();
  log = await createTestLog(await postgres.createDatabase());
});
afterAll(async () => {
  await postgres.close();
  await log.remove();
});

const signerFile = () => join(log.folders.tiles, "../signer.json");
/** A fixed sequence, so that a round that fails fails again. */
const delayOf = (round: number): number => (round * 7919) % 173;

const startLeader = () => {
  const { host, port, user, password, database } = log.pool.options;
  const settings = { database: { host, port, user, password, database }, ...log.folders, signer: signerFile() };
  const script = new URL("./test-leader.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const leading = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (text) => String(text).includes("leading") && resolve());
    child.on("exit", () => reject(new Error(`the leader ended: ${errors}`)));
  });
  leading.catch(() => undefined);
  return { child, leading, errors: () => errors };
};

test("a leader that is killed at any moment loses no entry, repeats none, and never forks the log", async () => {
  const accepted: Uint8Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const leader = startLeader();
    await leader.leading;
    const end = Date.now() + delayOf(round);
    for (let n = 0; Date.now() < end || n === 0; n++) {
      const entries = Array.from({ length: 1 + ((n * 13) % 60) }, (_, i) => testEntry(`${round} ${n} ${i}`));
      await log.append(entries);
      accepted.push(...entries.map(({ operationId }) => operationId));
    }
    const ended = once(leader.child, "exit");
    leader.child.kill("SIGKILL");
    await ended;
    expect(leader.errors()).toBe("");
  }
  const last = log.sequencer({ sign: createTestSigner(signerFile()) });
  last.start();
  const logged = await last.waitLogged(accepted, { timeoutMs: 20_000 });
  await last.stop();
  expect(log.errors).toEqual([]);
  expect(new Set(logged.map(({ index }) => index)).size).toBe(accepted.length);
  const { tiles, openings } = log;
  const verdict = await verifyLog({ tiles, openings, verifierKeys: testVerifierKeys, origin: testOrigin });
  expect(verdict).toMatchObject({ ok: true, size: accepted.length });
});
