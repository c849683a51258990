import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNoteSigner, parseLeaf } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { createMemoryLog } from "@tipstaff/ledger/memory";
import { serveLog } from "@tipstaff/ledger/serve";
import { createKeyholderClient } from "@tipstaff/release-protocol/node";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CliError } from "../cli-error.ts";
import { initInstallation, startKeyholder } from "../services/installation.ts";
import { registerLedger } from "./ledger.ts";

const place = mkdtempSync(join(tmpdir(), "tipstaff-prove-"));
const home = join(place, "home");
const signer = createNoteSigner("test.example/log", randomBytes(32));
const log = createMemoryLog(signer);
const actor = randomUUID();
let keyholder: Awaited<ReturnType<typeof startKeyholder>> | undefined;
let server: Server;
let operation = "";

/** An installation's keyholder, and the log of ten entries that it prepared, in the installation's own folders. */
beforeAll(async () => {
  const made = await initInstallation(home, { force: "example-force", recipient: "cardmaker" });
  keyholder = await startKeyholder(made.home);
  const client = createKeyholderClient({ socketPath: made.home.keyholderSocket });
  await client.call("roots/create", { batchId: "staff", persons: [actor] });
  const drafts = Array.from({ length: 10 }, (_, n) => ({
    kind: "hold-placed",
    recipient: "cardmaker",
    reference: `hold/${n}`,
    actor,
    at: "2026-03-01T09:30:00.000Z",
    detail: JSON.stringify({ reason: `reason ${n}` }),
  }));
  const { entries } = await client.call("entries/prepare", { entries: drafts });
  client.close();
  log.append(entries.map(({ leaf }) => Uint8Array.from(Buffer.from(leaf, "base64url"))));
  const tiles = createFolderStorage(made.home.tiles);
  for (const path of ["checkpoint", "tile/0/000.p/10", "tile/entries/000.p/10"]) {
    await tiles.replace({ path, bytes: (await log.reader.read(path)) ?? new Uint8Array(0) });
  }
  const openings = entries.map((entry) => Buffer.from(entry.openings, "base64url"));
  const parts = openings.map((blob) => Buffer.concat([Buffer.from([blob.length >> 8, blob.length & 255]), blob]));
  const bytes = Uint8Array.from(Buffer.concat([Buffer.of(0), ...parts]));
  await createFolderStorage(made.home.openings).writeOnce([{ path: "000.p/10", bytes }]);
  operation = Buffer.from(parseLeaf(Buffer.from(entries[7]?.leaf ?? "", "base64url")).operationId).toString("hex");
  server = createServer(serveLog({ tiles: log.reader, prefix: "/log/" }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await keyholder?.stop();
  server?.close();
  rmSync(place, { recursive: true, force: true });
});

/** As main.ts runs it, within this process: a process of its own takes seconds to load what `ledger` does not need. */
const tipstaff = async (...args: string[]) => {
  const program = new Command("tipstaff").option("--home <dir>").option("--json").exitOverride();
  registerLedger(program);
  let stdout = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  process.exitCode = 0;
  try {
    await program.parseAsync(["--home", home, "--json", "ledger", ...args], { from: "user" });
    return { code: process.exitCode, answer: JSON.parse(stdout) };
  } catch (error) {
    return { code: error instanceof CliError ? error.exitCode : String(error), answer: undefined };
  } finally {
    out.mockRestore();
    process.exitCode = 0;
  }
};
const seven = join(place, "seven.tlog-proof");
const key = ["--key", signer.verifierKey];

describe("tipstaff ledger prove", () => {
  test("writes a proof by index or operation, which verifies alone and not by another key", async () => {
    expect(await tipstaff("prove", "3", ...key, "--out", join(place, "three.tlog-proof"))).toMatchObject({
      code: 0,
      answer: { index: 3, size: 10 },
    });
    expect(await tipstaff("prove", operation, ...key, "--out", seven)).toMatchObject({
      answer: { index: 7 },
    });
    const good = { verified: true, origin: "test.example/log", index: "7", size: "10", shown: {} };
    expect(await tipstaff("verify", seven, ...key)).toMatchObject({ code: 0, answer: good });
    const other = createNoteSigner("test.example/log", randomBytes(32)).verifierKey;
    const refused = { code: 1, answer: { verified: false, reason: "key-id-mismatch" } };
    expect(await tipstaff("verify", seven, "--key", other)).toMatchObject(refused);
    writeFileSync(join(place, "no.tlog-proof"), "c2sp.org/tlog-proof@v1\nindex 07\n\n");
    const malformed = { code: 1, answer: { verified: false, reason: "proof-malformed" } };
    expect(await tipstaff("verify", join(place, "no.tlog-proof"), ...key)).toMatchObject(malformed);
  });

  test("writes an evidence bundle with the fields asked for; a changed one is named", async () => {
    const show = ["--show", "kind,detail", "--actor", actor, "--reason", "case 12", "--out", join(place, "bundle")];
    const written = await tipstaff("prove", "7", ...key, ...show);
    expect(written).toMatchObject({ code: 0, answer: { shown: ["kind", "detail", "actor"] } });
    const folder = join(place, "bundle");
    expect(readdirSync(folder).sort()).toEqual(["README.txt", "entry.tlog-proof", "openings.json"]);
    const shown = { kind: "hold-placed", detail: '{"reason":"reason 7"}', actor };
    expect(await tipstaff("verify", join(place, "bundle"), ...key)).toMatchObject({
      code: 0,
      answer: { verified: true, shown },
    });
    const file = join(folder, "openings.json");
    writeFileSync(file, readFileSync(file, "utf8").replace("reason 7", "reason 8"));
    const refused = await tipstaff("verify", join(place, "bundle"), ...key);
    expect(refused).toMatchObject({
      code: 1,
      answer: { reason: "opening-differs", message: expect.stringContaining("detail") },
    });
  });

  test("refuses what is not there, what exists already, and to show without a reason or to a wrong name", async () => {
    for (const args of [
      ["prove", "10", ...key],
      ["prove", "01", ...key],
      ["prove", "0".repeat(64), ...key],
      ["prove", "somebody", ...key],
      ["prove", "7", ...key, "--out", seven],
      ["prove", "7", ...key, "--show", "kind"],
    ]) {
      expect([args, (await tipstaff(...args)).code]).toEqual([args, 2]);
    }
    const wrongName = ["--show", "kind", "--actor", randomUUID(), "--reason", "x", "--out", join(place, "never")];
    expect((await tipstaff("prove", "7", ...key, ...wrongName)).code).toBe(1);
    expect(readdirSync(place)).not.toContain("never");
  });
});

describe("tipstaff ledger verify", () => {
  test("verifies a log at its URL, and refuses a URL that is none", async () => {
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    expect(await tipstaff("verify", `${url}/log`, ...key)).toMatchObject({
      code: 0,
      answer: { verified: true, size: 10 },
    });
    expect(await tipstaff("verify", `${url}/other`, ...key)).toMatchObject({
      code: 1,
      answer: { fault: { kind: "missing" } },
    });
    expect(await tipstaff("verify", "ftp://127.0.0.1/log", ...key)).toMatchObject({ code: 2 });
  });
});
