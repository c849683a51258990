import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWitnessClient, LedgerError, parsePolicy, verifyPolicy } from "../index.ts";
import { testEntry } from "../test-entries.ts";
import { createWitnessServer, createWitnessStore, openWitness, serveWitness, type Witness } from "../witness/index.ts";
import { createTestLog, type TestLog, testOrigin, testVerifierKeys, until } from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

const place = mkdtempSync(join(tmpdir(), "tipstaff-cosign-"));
let postgres: TestPostgres;
let log: TestLog;
let witness: Witness;
let server: Server;
let port = 0;
const listen = async (): Promise<void> => {
  server = createWitnessServer(serveWitness(witness));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
};
const close = async (): Promise<void> => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
};

beforeAll(async () => {
  postgres = await startTestPostgres();
  log = await createTestLog(await postgres.createDatabase());
  const folder = join(place, "w");
  createWitnessStore(folder, { name: "w.example", seed: randomBytes(32), algorithm: "ed25519" });
  witness = openWitness({ folder, logs: [{ origin: testOrigin, keys: testVerifierKeys }] });
  await listen();
}, 120_000);
afterAll(async () => {
  await close();
  witness.close();
  await log.remove();
  await postgres.close();
  rmSync(place, { recursive: true });
}, 60_000);

test("a checkpoint is published with its quorum or not at all, and what was published before gets one", async () => {
  const text = `witness w ${witness.verifierKey} http://127.0.0.1:${port}\nquorum w\n`;
  const named = {
    policy: parsePolicy(new TextEncoder().encode(text)),
    log: { origin: testOrigin, keys: testVerifierKeys },
  };
  const entries = Array.from({ length: 6 }, (_, n) => testEntry(`cosign ${n}`));
  const soon = { timeoutMs: 30_000 };
  const ids = (from: number, to: number) => entries.slice(from, to).map(({ operationId }) => operationId);
  const bare = log.sequencer();
  bare.start();
  await log.append(entries.slice(0, 2));
  await bare.waitLogged(ids(0, 2), soon);
  await bare.stop();

  const sequencer = log.sequencer({ witnesses: createWitnessClient(named) });
  sequencer.start();
  await until(async () => {
    const head = await sequencer.head();
    return head !== undefined && verifyPolicy(head.checkpoint, named).ok;
  }, 30_000);
  await log.append(entries.slice(2, 4));
  const [logged] = await sequencer.waitLogged(ids(2, 4), soon);
  expect(logged && verifyPolicy(logged.checkpoint, named)).toMatchObject({ ok: true, witnesses: [{ name: "w" }] });

  await close();
  await log.append(entries.slice(4));
  const waiting = sequencer.waitLogged(ids(4, 6), { timeoutMs: 60_000 });
  await until(
    () => log.errors.some((error) => error instanceof LedgerError && error.code === "quorum-missing"),
    30_000,
  );
  expect((await sequencer.head())?.size).toBe(4);
  await listen();
  expect(await waiting).toMatchObject([{ size: 6 }, { size: 6 }]);
  await sequencer.stop();
}, 180_000);
