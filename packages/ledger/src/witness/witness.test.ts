import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { utf8 } from "../bytes.ts";
import { encodeVerifierKey } from "../formats/verifier-key.ts";
import {
  createCosigner,
  createNoteSigner,
  createWitnessClient,
  LedgerError,
  parsePolicy,
  parseSignedNote,
  parseVerifierKey,
  signNote,
  verifyPolicy,
} from "../index.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testKey } from "../test-entries.ts";
import { createWitnessStore, encodeAddCheckpoint, openWitness, parseAddCheckpoint } from "./index.ts";

const signer = createNoteSigner("test.example/log", testKey("witnessed"));
const keys = [parseVerifierKey(signer.verifierKey)];
const logs = [{ origin: signer.name, keys }];
const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => utf8(`entry ${from + n}`));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

let place = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "tipstaff-witness-"));
});
const children: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(place, { recursive: true, force: true });
});

const ask = async (log: ReturnType<typeof createMemoryLog>, oldSize: number, checkpoint = log.checkpoint()) => {
  const proof = oldSize === 0 || oldSize >= log.prover().size ? [] : await log.prover().consistency(oldSize);
  return encodeAddCheckpoint({ oldSize: BigInt(oldSize), proof, checkpoint });
};
const makeLog = (size: number, first = "") => {
  const log = createMemoryLog(signer);
  if (size > 0) log.append(first ? [utf8(first), ...entries(1, size)] : entries(0, size));
  return log;
};
const makeWitness = (options: { logs?: typeof logs; repeatsPerSecond?: number } = {}) => {
  const folder = join(place, "in-process");
  createWitnessStore(folder, { name: "w.example", seed: testKey("w"), algorithm: "ed25519" });
  return openWitness({ folder, logs, ...options });
};

describe("a witness", () => {
  test("cosigns a log's first checkpoint, each that extends it, and the same again", async () => {
    const witness = makeWitness();
    const log = makeLog(3);
    expect(witness.addCheckpoint(await ask(log, 0)).status).toBe(200);
    expect(witness.addCheckpoint(await ask(log, 3)).status).toBe(200);
    log.append(entries(3, 9));
    const answer = witness.addCheckpoint(await ask(log, 3));
    expect(answer.body).toMatch(/^— w\.example [A-Za-z0-9+/=]+\n$/);
    witness.close();
  });

  test("answers 409 and its own size to another old size, replays of its past too", async () => {
    const witness = makeWitness();
    const log = makeLog(3);
    const first = await ask(log, 0);
    witness.addCheckpoint(first);
    expect(witness.addCheckpoint(first)).toEqual({ status: 409, type: "text/x.tlog.size", body: "3\n" });
    witness.close();
  });

  test("answers 409 to another root of the same size, and 422 to another history", async () => {
    const witness = makeWitness();
    witness.addCheckpoint(await ask(makeLog(3), 0));
    const fork = makeLog(3, "another");
    expect(witness.addCheckpoint(await ask(fork, 3)).status).toBe(409);
    fork.append(entries(3, 6));
    expect(witness.addCheckpoint(await ask(fork, 3)).status).toBe(422);
    const log = makeLog(6);
    const unproved = encodeAddCheckpoint({ oldSize: 3n, proof: [], checkpoint: log.checkpoint() });
    expect(witness.addCheckpoint(unproved).status).toBe(422);
    expect(witness.addCheckpoint(await ask(log, 3)).status).toBe(200);
    witness.close();
  });

  test("answers 404 to an unknown log, 403 to a wrong key, 400 to an old size beyond and to what is malformed", async () => {
    const witness = makeWitness();
    const stranger = createMemoryLog(createNoteSigner("other.example/log", testKey("other")));
    stranger.append(entries(0, 2));
    expect(witness.addCheckpoint(await ask(stranger, 0)).status).toBe(404);
    const forger = createMemoryLog(createNoteSigner(signer.name, testKey("forger")));
    forger.append(entries(0, 2));
    expect(witness.addCheckpoint(await ask(forger, 0)).status).toBe(403);
    expect(witness.addCheckpoint(await ask(makeLog(2), 3)).status).toBe(400);
    const good = text(await ask(makeLog(2), 0));
    const wrong = [
      "",
      "old\n\n",
      good.replace("old 0", "old 00"),
      good.replace("old 0", "old -1"),
      good.replace("— ", "- "),
    ];
    for (const body of [...wrong, good.replaceAll("\n", "\r\n"), good.replace("old 0\n", "old 0\nAAAA\n")]) {
      expect(witness.addCheckpoint(utf8(body)).status).toBe(400);
    }
    witness.close();
  });

  test("cosigns nobody when it was given no log", async () => {
    const witness = makeWitness({ logs: [] });
    expect(witness.addCheckpoint(await ask(makeLog(2), 0)).status).toBe(404);
    witness.close();
  });

  test("by ML-DSA cosigns no checkpoint with extension lines, and keeps its head for what it can", async () => {
    const folder = join(place, "ml-dsa");
    createWitnessStore(folder, { name: "w.example", seed: testKey("w"), algorithm: "ml-dsa-44" });
    const witness = openWitness({ folder, logs });
    const log = makeLog(3);
    const extended = signNote(`${parseSignedNote(log.checkpoint()).text}extension\n`, [signer]);
    expect(witness.addCheckpoint(await ask(log, 0, extended)).status).toBe(400);
    expect(witness.addCheckpoint(await ask(log, 0)).status).toBe(200);
    witness.close();
  });

  test("repeats one size only so often, while the log can still grow", async () => {
    const witness = makeWitness({ repeatsPerSecond: 0.1 });
    const log = makeLog(3);
    witness.addCheckpoint(await ask(log, 0));
    expect(witness.addCheckpoint(await ask(log, 3)).status).toBe(200);
    expect(witness.addCheckpoint(await ask(log, 3)).status).toBe(429);
    log.append(entries(3, 5));
    expect(witness.addCheckpoint(await ask(log, 3)).status).toBe(200);
    witness.close();
  });

  test("is not made where something lies, nor opened where none is, nor twice at once", () => {
    const missing = expect.objectContaining({ code: "witness-missing" });
    expect(() => openWitness({ folder: join(place, "none"), logs })).toThrow(missing);
    writeFileSync(join(place, "file"), "");
    expect(() => createWitnessStore(place, { name: "w", seed: testKey("w"), algorithm: "ed25519" })).toThrow(missing);
    const witness = makeWitness();
    expect(() => openWitness({ folder: join(place, "in-process"), logs })).toThrow(LedgerError);
    witness.close();
  });
});

test("a witness answers 200 to the request that litewitness is tested with, of a log with that key alone", () => {
  const file = readFileSync(new URL("../../vectors/witness.json", import.meta.url), "utf8");
  const vector: { origin: string; logPublicKey: string; request: string } = JSON.parse(file);
  const key = parseVerifierKey(encodeVerifierKey(vector.origin, Buffer.from(vector.logPublicKey, "hex")));
  const witness = makeWitness({ logs: [{ origin: vector.origin, keys: [key] }] });
  const answer = witness.addCheckpoint(utf8(vector.request));
  expect(answer).toMatchObject({ status: 200 });
  witness.close();
});

test("an add-checkpoint request says what was put in, and refuses a 64th hash", () => {
  const request = {
    oldSize: 4n,
    proof: [testKey("a"), testKey("b")].map((hash) => Uint8Array.from(hash)),
    checkpoint: utf8("c\n"),
  };
  expect(parseAddCheckpoint(encodeAddCheckpoint(request))).toEqual(request);
  const long = encodeAddCheckpoint({ ...request, proof: Array(64).fill(testKey("a")) });
  expect(() => parseAddCheckpoint(long)).toThrow(expect.objectContaining({ code: "witness-request-malformed" }));
});

const script = fileURLToPath(new URL("test-witness.ts", import.meta.url));
/** A witness in a process of its own; answers its URL and key. */
const startWitness = async (name: string) => {
  const args = [script, join(place, name), name, signer.verifierKey];
  const child = spawn(process.execPath, ["--no-warnings", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  if (child.stdout === null) throw new Error("no output");
  const [line] = await once(child.stdout, "data");
  const [port = "", key = ""] = String(line).trim().split(" ");
  return { child, name, key, url: `http://127.0.0.1:${port}` };
};
type Running = { name: string; key: string; url: string };
const policyOf = (rule: string, witnesses: readonly Running[]) =>
  parsePolicy(
    utf8(
      `${witnesses.map(({ name, key, url }) => `witness ${name} ${key} ${url}\n`).join("")}group all ${rule} ${witnesses.map(({ name }) => name).join(" ")}\nquorum all\n`,
    ),
  );
const log = { origin: signer.name, keys };
const client = (policy: ReturnType<typeof policyOf>, deadlineMs = 5000) =>
  createWitnessClient({ policy, log, deadlineMs });
const request = (of: ReturnType<typeof makeLog>, { oldSize = 0, head }: { oldSize?: number; head?: number } = {}) => ({
  note: of.checkpoint(),
  oldSize,
  consistency: of.prover().consistency,
  headSize: async () => head ?? of.prover().size,
});
const halted = expect.objectContaining({ code: "log-halted" });

/** Somebody else's server under a witness's URL. */
const pretend = async (answer: { status: number; type?: string; body?: string } | undefined): Promise<string> => {
  const server = createServer((_, response) => {
    if (answer) response.writeHead(answer.status, { "content-type": answer.type ?? "text/plain" }).end(answer.body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
};

describe("createWitnessClient()", () => {
  test("brings both cosignatures, again after the log grew, and after the witness was killed and started again", async () => {
    const [a, b] = [await startWitness("a"), await startWitness("b")];
    const policy = policyOf("all", [a, b]);
    const witnesses = client(policy);
    const of = makeLog(5);
    const first = await witnesses.cosign(request(of));
    const verdict = first.ok && verifyPolicy(first.note, { policy, log });
    expect(verdict).toMatchObject({ ok: true, witnesses: [{ name: "a" }, { name: "b" }] });
    of.append(entries(5, 300));
    expect(await witnesses.cosign(request(of, { oldSize: 5 }))).toMatchObject({ ok: true });
    a.child.kill("SIGKILL");
    await once(a.child, "exit");
    const again = await startWitness("a");
    of.append(entries(300, 310));
    const renewed = client(policyOf("all", [again, b]));
    expect(await renewed.cosign(request(of, { oldSize: 0 }))).toMatchObject({ ok: true });
  }, 60_000);

  test("fails closed when one of two is dead, and goes on where one is enough", async () => {
    const a = await startWitness("a");
    const dead = { ...(await startWitness("b")), url: "http://127.0.0.1:1" };
    const result = await client(policyOf("all", [a, dead])).cosign(request(makeLog(5)));
    expect(result).toEqual({
      ok: false,
      reason: "quorum-missing",
      failures: [{ name: "b", why: "cannot be reached" }],
    });
    expect(await client(policyOf("any", [a, dead])).cosign(request(makeLog(5), { oldSize: 5 }))).toMatchObject({
      ok: true,
    });
  }, 60_000);

  test("gives up a witness that does not answer within the deadline", async () => {
    const slow = { ...(await startWitness("a")), url: await pretend(undefined) };
    const result = await client(policyOf("all", [slow]), 300).cosign(request(makeLog(5)));
    expect(result).toMatchObject({ ok: false, failures: [{ name: "a", why: "no answer in time" }] });
  }, 60_000);

  test("halts when a witness is ahead of the database's head, and not when the database is ahead too", async () => {
    const a = await startWitness("a");
    const witnesses = client(policyOf("all", [a]));
    const of = makeLog(9);
    await witnesses.cosign(request(of));
    await expect(witnesses.cosign(request(makeLog(5)))).rejects.toMatchObject({
      code: "log-halted",
      message: expect.stringContaining("the database was rolled back"),
    });
    expect(await witnesses.cosign(request(makeLog(5), { head: 9 }))).toMatchObject({ ok: false });
  }, 60_000);

  test("halts when a witness holds another tree of the same size, or finds no consistency", async () => {
    const a = await startWitness("a");
    const policy = policyOf("all", [a]);
    await client(policy).cosign(request(makeLog(5)));
    await expect(client(policy).cosign(request(makeLog(5, "another")))).rejects.toEqual(halted);
    await expect(client(policy).cosign(request(makeLog(8, "another")))).rejects.toEqual(halted);
  }, 60_000);

  test("counts a lie for nothing: another's signature, another root, no signature, another status", async () => {
    const a = await startWitness("a");
    const policy = policyOf("all", [a]);
    const other = await client(policy).cosign(request(makeLog(4)));
    const line = other.ok
      ? text(other.note)
          .split("\n")
          .find((row) => row.startsWith("— a "))
      : "";
    for (const answer of [
      { status: 200, body: `${line}\n` },
      { status: 200, body: "— b AAAAAAAA\n" },
      { status: 200, body: "" },
      { status: 200, body: "x".repeat(70_000) },
      { status: 500, body: "" },
      { status: 409, body: "7\n" },
      { status: 409, type: "text/x.tlog.size", body: "007\n" },
    ]) {
      const lying = { ...a, url: await pretend(answer) };
      expect(await client(policyOf("all", [lying])).cosign(request(makeLog(5)))).toMatchObject({ ok: false });
    }
  }, 60_000);

  test("says that the log itself made no proof, and blames no witness for it", async () => {
    const a = await startWitness("a");
    const policy = policyOf("all", [a]);
    await client(policy).cosign(request(makeLog(5)));
    const consistency = () => Promise.reject(new LedgerError("storage-failed", "a tile cannot be read"));
    expect(await client(policy).cosign({ ...request(makeLog(8)), consistency })).toMatchObject({
      ok: false,
      failures: [{ name: "a", why: "the log cannot prove to it: storage-failed" }],
    });
  }, 60_000);

  test("refuses a policy whose quorum needs the log's own key as a witness", () => {
    const self = createCosigner({ name: "independent.example", seed: testKey("witnessed") });
    const witness = { name: "self", key: self.verifierKey, url: "http://127.0.0.1:1" };
    expect(() => client(policyOf("all", [witness]))).toThrow(expect.objectContaining({ code: "policy-malformed" }));
  });

  test("refuses a policy whose witnesses with URLs can make no quorum", () => {
    const witness = { name: "a", key: "", url: "" };
    expect(() => client(policyOf("all", [witness]))).toThrow(LedgerError);
  });
});
