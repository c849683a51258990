import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  createCosigner,
  createNoteSigner,
  createWitnessClient,
  encodeSignedNote,
  encodeTlogProof,
  LEAF_LENGTH,
  parsePolicy,
  parseSignedNote,
  parseVerifierKey,
} from "@tipstaff/ledger";
import { createMemoryLog } from "@tipstaff/ledger/memory";
import { serveLog } from "@tipstaff/ledger/serve";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const place = mkdtempSync(join(tmpdir(), "tipstaff-witness-cli-"));
const seedOf = (byte: number) => new Uint8Array(32).fill(byte);
const signer = createNoteSigner("test.example/log", seedOf(1));
const log = createMemoryLog(signer);
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const children: ChildProcess[] = [];
const start = (...args: string[]) => {
  const flags = ["--no-warnings", main, "--home", join(place, "no-home"), "ledger", ...args];
  const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child;
};
const tipstaff = async (...args: string[]) => {
  const child = start(...args);
  let out = "";
  child.stdout?.on("data", (part) => {
    out += part;
  });
  const [code] = await once(child, "close");
  return { code, out };
};
const readySchema = z.object({ name: z.string(), verifierKey: z.string(), url: z.string() });
const startWitness = async (...args: string[]) => {
  const child = start("witness", ...args);
  if (child.stdout === null) throw new Error("no output");
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, ...readySchema.parse(JSON.parse(String(line))) };
};
const stop = async (child: ChildProcess) => {
  child.kill("SIGTERM");
  if (child.exitCode === null) await once(child, "exit");
};

const dir = join(place, "w");
const policyFile = join(place, "policy");
const lines = (of: { verifierKey: string; url?: string }, more = "") =>
  `${more}witness w ${of.verifierKey} ${of.url ?? ""}\nquorum w\n`;
let witness: Awaited<ReturnType<typeof startWitness>>;
let note: Uint8Array;

/** A folder with the log's files under this checkpoint. */
const writeLog = async (name: string, checkpoint: Uint8Array): Promise<string> => {
  const folder = join(place, name);
  const paths = ["tile/0/000.p/3", "tile/entries/000.p/3"];
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), (await log.reader.read(path)) ?? "");
  }
  writeFileSync(join(folder, "checkpoint"), checkpoint);
  return folder;
};
const leafOf = (n: number) => Uint8Array.from({ length: LEAF_LENGTH }, (_, at) => (at === 0 ? 1 : n));

beforeAll(async () => {
  log.append([leafOf(1), leafOf(2), leafOf(3)]);
  witness = await startWitness("--dir", dir, "--name", "w.example/1", "--log", signer.verifierKey);
  const policy = parsePolicy(Buffer.from(lines(witness)));
  const keys = [parseVerifierKey(signer.verifierKey)];
  const client = createWitnessClient({ policy, log: { origin: signer.name, keys }, deadlineMs: 30_000 });
  const { consistency, size } = log.prover();
  const result = await client.cosign({ note: log.checkpoint(), oldSize: 0, consistency, headSize: async () => size });
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  note = result.note;
  writeFileSync(policyFile, lines(witness));
}, 120_000);
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) await stop(child);
  rmSync(place, { recursive: true, force: true });
});

test("ledger verify --policy says in its first line who witnessed a log, and exits 1 where nobody did", async () => {
  const by = ["--key", signer.verifierKey, "--policy", policyFile];
  const good = await tipstaff("verify", await writeLog("witnessed", note), ...by);
  expect(good.out).toMatch(
    /^test\.example\/log: 3 entries verify .*\(witnessed by w\)\.\nWitnesses: w at 20.*Policy: fulfilled\.\n$/,
  );
  expect(good.code).toBe(0);
  const bare = await tipstaff("verify", await writeLog("bare", log.checkpoint()), ...by);
  expect(bare.out).toMatch(
    /^DOES NOT VERIFY \(quorum-missing\): .*\n.*\nWitnesses: none\. Policy: quorum-missing\.\n$/,
  );
  expect(bare.code).toBe(1);
}, 120_000);

test("ledger verify --json says verified of a whole log with its quorum alone, and apart from it that the tree fits", async () => {
  const judge = async (name: string, checkpoint: Uint8Array, ...by: string[]) => {
    const { code, out } = await tipstaff("verify", await writeLog(name, checkpoint), ...by, "--json");
    return { code, ...z.record(z.string(), z.unknown()).parse(JSON.parse(out)) };
  };
  const by = ["--key", signer.verifierKey, "--policy", policyFile];
  const whole = { treeVerified: true, size: 3, origin: signer.name, operationsChecked: true };
  expect(await judge("json-good", note, ...by)).toMatchObject({
    code: 0,
    verified: true,
    policy: "fulfilled",
    ...whole,
  });
  expect(await judge("json-bare", log.checkpoint(), ...by)).toEqual({
    ...{ code: 1, verified: false, ...whole },
    ...{ witnessed: false, policy: "quorum-missing", witnesses: [] },
  });
  const strange = createNoteSigner(signer.name, seedOf(2)).verifierKey;
  const fault = await judge("json-fault", note, "--key", strange);
  expect(fault).toMatchObject({ code: 1, verified: false, treeVerified: false, fault: { kind: "checkpoint" } });
}, 120_000);

test("a log that signs by ML-DSA-44 alone is verified by its key or a policy, and witnessed", async () => {
  const own = createCosigner({ name: signer.name, seed: seedOf(5), algorithm: "ml-dsa-44" });
  const { text } = parseSignedNote(log.checkpoint());
  const signed = encodeSignedNote({ text, signatures: [own.cosign(text, 1_700_000_000)] });
  const folder = await writeLog("ml-dsa", signed);
  const good = await tipstaff("verify", folder, "--key", own.verifierKey);
  expect([good.code, good.out]).toEqual([0, expect.stringContaining("3 entries verify")]);
  expect((await tipstaff("verify", folder, "--key", signer.verifierKey)).code).toBe(1);
  const asWitness = createCosigner({ name: signer.name, seed: seedOf(5) }).verifierKey;
  expect((await tipstaff("verify", folder, "--key", asWitness)).code).toBe(2);
  expect((await tipstaff("witness", "--dir", join(place, "wx"), "--name", "x", "--log", asWitness)).code).not.toBe(0);
  const other = await startWitness("--dir", join(place, "w2"), "--name", "w2.example", "--log", own.verifierKey);
  const body = `old 0\n\n${Buffer.from(signed)}`;
  const answer = await fetch(`${other.url}/add-checkpoint`, { method: "POST", body });
  expect(answer.status).toBe(200);
  const refused = await fetch(`${other.url}/add-checkpoint`, { method: "POST", body: `old 0\n\n${Buffer.from(note)}` });
  expect(refused.status).toBe(403);
  const policy = join(place, "ml-dsa-policy");
  writeFileSync(policy, lines(other, `log ${own.verifierKey}\n`));
  const witnessed = await writeLog("ml-dsa-witnessed", Buffer.concat([signed, Buffer.from(await answer.text())]));
  const by = await tipstaff("verify", witnessed, "--policy", policy);
  expect([by.code, by.out]).toEqual([0, expect.stringContaining("(witnessed by w)")]);
  await stop(other.child);
}, 120_000);

test("ledger verify --policy verifies one proof file by the policy alone, and refuses it without the quorum", async () => {
  const file = join(place, "one.tlog-proof");
  const proof = await log.prover().inclusion(1);
  const write = (checkpoint: Uint8Array) =>
    writeFileSync(file, encodeTlogProof({ index: 1n, proof, checkpoint, extra: leafOf(2) }));
  const named = join(place, "named-policy");
  writeFileSync(named, lines(witness, `log ${signer.verifierKey}\n`));
  write(note);
  const good = await tipstaff("verify", file, "--policy", named);
  expect(good.out).toMatch(/entry 1 stands in the log of 3 entries \(witnessed by w\)\.\nWitnesses: w at 20/);
  expect(good.code).toBe(0);
  write(log.checkpoint());
  const bare = await tipstaff("verify", file, "--policy", named);
  expect(bare.out).toMatch(/^DOES NOT VERIFY \(quorum-missing\)/);
  expect(bare.code).toBe(1);
}, 120_000);

test("ledger verify --policy judges the checkpoint that it verified, whatever the server shows next", async () => {
  let asked = 0;
  const read = async (path: string) => (path === "checkpoint" && asked++ > 0 ? note : log.reader.read(path));
  const server = createServer(serveLog({ tiles: { read } }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const { code, out } = await tipstaff("verify", url, "--key", signer.verifierKey, "--policy", policyFile);
  server.close();
  expect([code, out]).toEqual([1, expect.stringContaining("DOES NOT VERIFY (quorum-missing)")]);
}, 120_000);

test("a cosignature at the end of time, or at none, is told and breaks nothing", async () => {
  const cosigner = createCosigner({ name: "far.example", seed: seedOf(9) });
  const policy = join(place, "far-policy");
  writeFileSync(policy, lines(cosigner));
  const read = parseSignedNote(log.checkpoint());
  for (const [time, words] of [
    [2n ** 63n - 1n, "second 9223372036854775807"],
    [0n, "no time stated"],
  ] as const) {
    const signatures = [...read.signatures, cosigner.cosign(read.text, time)];
    const folder = await writeLog(`far-${time}`, encodeSignedNote({ ...read, signatures }));
    const { code, out } = await tipstaff("verify", folder, "--key", signer.verifierKey, "--policy", policy);
    expect([code, out]).toEqual([0, expect.stringContaining(`w at ${words}`)]);
  }
}, 120_000);

test("ledger witness keeps its key over a restart, and is not made where it was not named or something lies", async () => {
  await stop(witness.child);
  const again = await startWitness("--dir", dir, "--log", signer.verifierKey);
  expect(again.verifierKey).toBe(witness.verifierKey);
  expect((await tipstaff("witness", "--dir", dir, "--log", signer.verifierKey)).code).not.toBe(0);
  await stop(again.child);
  expect((await tipstaff("witness", "--dir", join(place, "none"))).code).not.toBe(0);
  const badPort = await tipstaff("witness", "--dir", join(place, "none"), "--name", "x", "--listen", "65536");
  expect([badPort.code, existsSync(join(place, "none"))]).toEqual([2, false]);
  expect((await tipstaff("witness", "--dir", place, "--name", "x")).code).not.toBe(0);
  expect((await tipstaff("witness", "--dir", dir, "--name", "other")).code).not.toBe(0);
  const empty = await startWitness("--dir", join(place, "empty"), "--name", "empty.example");
  const answer = await fetch(`${empty.url}/add-checkpoint`, { method: "POST", body: `old 0\n\n${Buffer.from(note)}` });
  expect(answer.status).toBe(404);
}, 120_000);
