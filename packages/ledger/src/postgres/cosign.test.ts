import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWitnessClient, LedgerError, type Policy, parsePolicy, verifyPolicy } from "../index.ts";
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

const soon = { timeoutMs: 30_000 };
const policyOf = (text: string) => ({
  policy: parsePolicy(new TextEncoder().encode(text)),
  log: { origin: testOrigin, keys: testVerifierKeys },
});
const named = () => policyOf(`witness w ${witness.verifierKey} http://127.0.0.1:${port}\nquorum w\n`);

test("a checkpoint is published with its quorum or not at all, and what was published before gets one", async () => {
  const entries = Array.from({ length: 6 }, (_, n) => testEntry(`cosign ${n}`));
  const ids = (from: number, to: number) => entries.slice(from, to).map(({ operationId }) => operationId);
  const bare = log.sequencer();
  bare.start();
  await log.append(entries.slice(0, 2));
  expect(await bare.waitLogged(ids(0, 2), soon)).toMatchObject([{ witnessed: false }, { witnessed: false }]);
  await bare.stop();

  const sequencer = log.sequencer({ witnesses: createWitnessClient(named()) });
  sequencer.start();
  await until(async () => {
    const head = await sequencer.head();
    return head !== undefined && verifyPolicy(head.checkpoint, named()).ok;
  }, 30_000);
  await log.append(entries.slice(2, 4));
  const [logged] = await sequencer.waitLogged(ids(2, 4), soon);
  expect(logged && verifyPolicy(logged.checkpoint, named())).toMatchObject({ ok: true, witnesses: [{ name: "w" }] });

  await close();
  await log.append(entries.slice(4));
  const waiting = sequencer.waitLogged(ids(4, 6), { timeoutMs: 60_000 });
  await until(
    () => log.errors.some((error) => error instanceof LedgerError && error.code === "quorum-missing"),
    30_000,
  );
  expect((await sequencer.head())?.size).toBe(4);
  expect(await sequencer.states(ids(3, 5))).toEqual(["witnessed", "sequenced"]);
  await listen();
  expect(await waiting).toMatchObject([
    { size: 6, witnessed: true },
    { size: 6, witnessed: true },
  ]);
  await sequencer.stop();
}, 180_000);

describe("states()", () => {
  test("goes from accepted to logged without a policy, and never says witnessed", async () => {
    const entries = [testEntry("states a"), testEntry("states b")];
    const ids = [...entries, testEntry("states never")].map(({ operationId }) => operationId);
    const sequencer = log.sequencer();
    await log.append(entries);
    expect(await sequencer.states(ids)).toEqual(["accepted", "accepted", undefined]);
    sequencer.start();
    await sequencer.waitLogged(ids.slice(0, 2), soon);
    expect(await sequencer.states(ids)).toEqual(["logged", "logged", undefined]);
    expect(await sequencer.head()).toMatchObject({ witnessed: false });
    await sequencer.stop();
    expect(await sequencer.states(ids)).toEqual(["logged", "logged", undefined]);
  }, 60_000);

  test("says logged alone of an old log until a new policy's quorum is there, and waitLogged() waits for that", async () => {
    const entry = testEntry("policy later");
    const bare = log.sequencer();
    bare.start();
    await log.append([entry]);
    await bare.waitLogged([entry.operationId], soon);
    const witnessed = log.sequencer({ witnesses: createWitnessClient(named()) });
    witnessed.start();
    const timeout = expect.objectContaining({ code: "wait-timeout" });
    await expect(witnessed.waitLogged([entry.operationId], { timeoutMs: 1500 })).rejects.toThrow(timeout);
    expect(await witnessed.states([entry.operationId])).toEqual(["logged"]);
    await bare.stop();
    expect(await witnessed.waitLogged([entry.operationId], soon)).toMatchObject([{ witnessed: true }]);
    expect(await witnessed.states([entry.operationId])).toEqual(["witnessed"]);
    await witnessed.stop();
  }, 120_000);

  test.each([
    ["the policy was removed", () => ({})],
    ["it says quorum none", () => ({ witnesses: createWitnessClient(policyOf("quorum none\n")) })],
    ["it names witnesses and says quorum none", () => noneOf(named().policy)],
  ])(
    "promises nothing of witnesses once %s",
    async (_, options) => {
      const entry = testEntry(`no quorum ${_}`);
      const sequencer = log.sequencer(options());
      sequencer.start();
      await log.append([entry]);
      expect(await sequencer.waitLogged([entry.operationId], soon)).toMatchObject([{ witnessed: false }]);
      expect(await sequencer.states([entry.operationId])).toEqual(["logged"]);
      await sequencer.stop();
    },
    60_000,
  );
});

const noneOf = (policy: Policy) => ({
  witnesses: createWitnessClient({ policy: { ...policy, quorum: "none" }, log: named().log }),
});
