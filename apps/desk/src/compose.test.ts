import { cpSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { emptyRoot, LedgerError, parseVerifierKey } from "@tipstaff/ledger";
import { createWitnessServer, createWitnessStore, openWitness, serveWitness } from "@tipstaff/ledger/witness";
import { afterAll, beforeAll, expect, it } from "vitest";
import { composeDesk } from "./compose.ts";
import { startTestDesk, type TestDesk } from "./database/test-desk.ts";
import { recordEntries } from "./entries/record-entries.ts";

let test: TestDesk;
const keys = () => join(test.folder, "keys", "keyholder");
const older = () => join(test.folder, "keys", "older");
const append = async (reference: string): Promise<readonly Buffer[]> => {
  const draft = { kind: "journal-head", reference, at: new Date().toISOString() };
  return (await recordEntries(test.desk, [draft], async () => undefined)).operationIds;
};
const record = async (reference: string): Promise<readonly Buffer[]> => {
  const operationIds = await append(reference);
  await test.desk.sequencer.waitLogged(operationIds, { timeoutMs: 60_000 });
  return operationIds;
};
beforeAll(async () => {
  test = await startTestDesk();
  await record("first");
  await test.keyholder().kill("SIGKILL");
  cpSync(keys(), older(), { recursive: true });
  await test.restartKeyholder();
  await record("second");
});
afterAll(() => test.stop());

/** Why a desk that starts now halts its log; nothing where it leads. */
const haltedBecause = async (): Promise<string | undefined> => {
  await test.desk.sequencer.stop();
  const { desk, close } = await composeDesk({ ...test.config, logLevel: "fatal" });
  try {
    desk.sequencer.start();
    const end = Date.now() + 60_000;
    for (;;) {
      if (desk.sequencer.state() === "leading") return undefined;
      if (desk.sequencer.state() === "halted") break;
      if (Date.now() > end) throw new Error("the desk neither leads nor halts");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const said = await desk.sequencer.waitLogged([new Uint8Array(32)], { timeoutMs: 1000 }).catch((error) => error);
    return said instanceof LedgerError ? said.message : String(said);
  } finally {
    await desk.sequencer.stop();
    await close();
  }
};

it("a desk leads whose keyholder signed what it published last", async () => {
  expect(await haltedBecause()).toBeUndefined();
});

it("a desk halts its log, and says so, where the keyholder remembers less than was published", async () => {
  await test.keyholder().kill("SIGKILL");
  cpSync(keys(), join(test.folder, "keys", "newest"), { recursive: true });
  rmSync(keys(), { recursive: true });
  cpSync(older(), keys(), { recursive: true });
  await test.restartKeyholder();
  expect(await haltedBecause()).toMatch(/the signer was rolled back$/);
  await test.keyholder().kill("SIGKILL");
  rmSync(keys(), { recursive: true });
  cpSync(join(test.folder, "keys", "newest"), keys(), { recursive: true });
  await test.restartKeyholder();
  expect(await haltedBecause()).toBeUndefined();
});

it("a desk with a witness policy counts nothing as logged before the quorum, and says of old entries what they are", async () => {
  const { logVerifierKey } = await test.desk.keyholder.call("status", {});
  const folder = join(test.folder, "witness");
  createWitnessStore(folder, { name: "w.example", seed: new Uint8Array(32).fill(5), algorithm: "ed25519" });
  const keys = [parseVerifierKey(logVerifierKey)];
  const witness = openWitness({ folder, logs: [{ origin: test.desk.origin, keys }] });
  const server = createWitnessServer(serveWitness(witness));
  const port = await listen(server, 0);
  await stopListening(server);
  const witnessPolicyFile = join(test.folder, "policy");
  writeFileSync(witnessPolicyFile, `witness w ${witness.verifierKey} http://127.0.0.1:${port}\nquorum w\n`);
  await test.desk.sequencer.stop();
  const [old] = await append("old");
  test.desk.sequencer.start();
  await test.desk.sequencer.waitLogged(old ? [old] : [], { timeoutMs: 60_000 });
  await test.desk.sequencer.stop();
  const [young] = await append("young");
  if (old === undefined || young === undefined) throw new Error("no entry");
  const { desk, close } = await composeDesk({ ...test.config, witnessPolicyFile, logLevel: "fatal" });
  try {
    desk.sequencer.start();
    const timeout = expect.objectContaining({ code: "wait-timeout" });
    await expect(desk.sequencer.waitLogged([old], { timeoutMs: 3000 })).rejects.toThrow(timeout);
    expect(await desk.sequencer.states([old, young])).toEqual(["logged", "accepted"]);
    await listen(server, port);
    const logged = await desk.sequencer.waitLogged([old, young], { timeoutMs: 60_000 });
    expect(logged).toMatchObject([{ witnessed: true }, { witnessed: true }]);
    expect(await desk.sequencer.states([old, young])).toEqual(["witnessed", "witnessed"]);
  } finally {
    await desk.sequencer.stop();
    await close();
    await stopListening(server);
    witness.close();
  }
}, 120_000);

const listen = async (server: Server, port: number): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
};
const stopListening = async (server: Server): Promise<void> => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
};

it("a desk halts its log at the start where the keyholder signed more than database and folder have", async () => {
  const { folders } = test.config;
  await test.desk.pool.query("truncate ledger.intake, ledger.waiting, ledger.entry");
  await test.desk.pool.query("update ledger.head set size = 0, root = $1, published_size = 0, published_root = $1", [
    emptyRoot(),
  ]);
  for (const path of ["checkpoint", "tile"]) rmSync(join(folders.tiles, path), { recursive: true });
  expect(await haltedBecause()).toMatch(
    /^the log is halted: the signer signed \d+ entries and the database has 0: the database was rolled back/,
  );
});
