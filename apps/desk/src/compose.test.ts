import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { emptyRoot, LedgerError } from "@tipstaff/ledger";
import { afterAll, beforeAll, expect, it } from "vitest";
import { composeDesk } from "./compose.ts";
import { startTestDesk, type TestDesk } from "./database/test-desk.ts";
import { recordEntries } from "./entries/record-entries.ts";

let test: TestDesk;
const keys = () => join(test.folder, "keys", "keyholder");
const older = () => join(test.folder, "keys", "older");
const record = async (reference: string): Promise<void> => {
  const draft = { kind: "journal-head", reference, at: new Date().toISOString() };
  const { operationIds } = await recordEntries(test.desk, [draft], async () => undefined);
  await test.desk.sequencer.waitLogged(operationIds, { timeoutMs: 60_000 });
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
