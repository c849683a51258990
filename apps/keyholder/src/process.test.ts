import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "@tipstaff/release-protocol";
import { createKeyholderClient, KeyholderError } from "@tipstaff/release-protocol/node";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { initKeyholder } from "./init.ts";
import { openKeyholder } from "./serve.ts";
import { runMain, type Serving, serveMain } from "./test-process.ts";
import {
  createScenario,
  FORCE,
  makeBureauKeys,
  ORIGIN,
  pinEverything,
  RECIPIENT,
  type Shown,
  startTestKeyholder,
  wordOf,
} from "./test-scenario.ts";

let folder = "";
let serving: Serving | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyholder-process-"));
});
afterEach(async () => {
  await serving?.end("SIGKILL");
  serving = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const init = (...args: string[]) =>
  runMain(["init", "--folder", folder, "--force", FORCE, "--origin", ORIGIN, ...args]);
/** The same without a process of its own, which costs most of a second. */
const initHere = (passphrase?: string, origin = ORIGIN) =>
  initKeyholder({ folder, force: FORCE, origin, passphrase, forbiddenFolders: [], now: new Date() });
const serve = async (...args: string[]): Promise<Serving> => {
  serving = await serveMain(folder, args);
  return serving;
};
const refusal = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => "it served",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

type Reply = { status: number; type: string; body: string };
const post = (socketPath: string, path: string, body: string): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request({ socketPath, method: "POST", path, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(Buffer.from(chunk));
      const type = response.headers["content-type"] ?? "";
      resolve({ status: response.statusCode ?? 0, type, body: Buffer.concat(chunks).toString("utf8") });
    });
    sent.once("error", reject);
    sent.end(body);
  });

/** Says how long its body would be, and sends none of it: a refusal need not wait for what it will not read. */
const announce = (socketPath: string, path: string, length: number): Promise<Omit<Reply, "body">> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": length };
    const sent = request({ socketPath, method: "POST", path, headers }, (response) => {
      resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "" });
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });

describe("keyholder init", () => {
  test("answers the force's and the log's verifier keys, for its own user alone, and refuses a second time", async () => {
    const first = await init();
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({
      logVerifierKey: expect.stringMatching(/^exampleshire-police\.example\/tipstaff\/log\+[0-9a-f]{8}\+/),
      forceVerifierKey: expect.stringMatching(/^exampleshire-police\+[0-9a-f]{8}\+/),
    });
    for (const name of ["key", "store.db"]) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    expect(await init()).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("key-file-exists") });
  });

  test("refuses a name for the log that no key may bear, or that the force's own key bears", async () => {
    for (const origin of ["police.example/my log", "police.example/log+1"]) {
      expect(await init("--origin", origin)).toMatchObject({ code: 1, stdout: "" });
    }
    expect(await refusal(initHere(undefined, FORCE))).toContain("must not be the force's own");
    expect(existsSync(join(folder, "key"))).toBe(false);
  });

  test("refuses a folder inside a data folder", async () => {
    const { code, stderr } = await init("--not-in", folder);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("key-file-misplaced") });
  });
});

describe("keyholder serve refuses to start", () => {
  const refuse = (options: { passphrase?: string } = {}): Promise<string> => {
    const sockets = { socket: join(folder, "a"), consoleSocket: join(folder, "b"), isDeskInGroup: false };
    const given = {
      folder,
      ...sockets,
      dailyOpenings: 500,
      dailyIndexes: 500,
      now: () => new Date(),
      log: pino({ level: "silent" }),
    };
    return refusal(openKeyholder({ ...given, passphrase: options.passphrase }));
  };

  test("without a store, without a key file, with another's key file, and with an exposed one", async () => {
    expect(await refuse()).toContain("the store is missing");
    await initHere();
    const key = join(folder, "key");
    chmodSync(key, 0o644);
    expect(await refuse()).toContain("by others than its owner");
    renameSync(key, join(folder, "moved"));
    expect(await refuse()).toContain("no key file");
    writeFileSync(key, `tipstaff-key-file/1 none ${Buffer.alloc(32, 1).toString("base64url")}\n`, { mode: 0o600 });
    expect(await refuse()).toContain("another key");
  });

  test("without the passphrase that the key file was put under", async () => {
    await initHere("correct horse");
    expect(await refuse()).toContain("under a passphrase");
    expect(await refuse({ passphrase: "correct house" })).toContain("does not open the key file");
    const passphrase = join(folder, "passphrase");
    writeFileSync(passphrase, "correct horse\n", { mode: 0o600 });
    await serve("--passphrase-file", passphrase);
  });

  test("beside another that lives, on its sockets or its store, and replaces the sockets of one that died", async () => {
    await initHere();
    const { socket, consoleSocket } = await serve();
    for (const path of [socket, consoleSocket]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await refusal(serveMain(folder))).toContain("another process listens");
    expect(await refuse()).toContain("another keyholder runs on it");
    await serving?.end("SIGKILL");
    expect(existsSync(socket)).toBe(true);
    await serve();
    expect((await post(socket, "/status", "{}")).status).toBe(200);
    expect((await serving?.end("SIGTERM"))?.stdout).toBe('{"ready":true}\n');
  });
});

describe("keyholder serve", () => {
  test("answers bad requests with problem+json and a closed code, without their values", async () => {
    await initHere();
    const { socket, consoleSocket } = await serve();
    const secret = "Ermintrude";
    const bad: [string, string, string, number, string][] = [
      [socket, "/nothing", "{}", 404, "unknown-call"],
      [socket, "/agreements/pin", "{}", 404, "unknown-call"],
      [socket, "/budget/raise", '{"openings":5,"reason":"x"}', 404, "unknown-call"],
      [consoleSocket, "/deks/open", "{}", 404, "unknown-call"],
      [socket, "/status", "{", 400, "malformed"],
      [socket, "/status", `{"x":"${secret}"}`, 400, "malformed"],
      [socket, "/roots/create", `{"batchId":"b","persons":["${secret}"]}`, 400, "malformed"],
    ];
    expect(await announce(socket, "/status", 65 * 1024 * 1024)).toMatchObject({
      status: 413,
      type: "application/problem+json",
    });
    for (const [path, call, body, status, code] of bad) {
      const reply = await post(path, call, body);
      expect({ ...reply, body: JSON.parse(reply.body) }).toMatchObject({
        ...{ status, type: "application/problem+json" },
        body: { type: "about:blank", status, code },
      });
      expect(reply.body).not.toContain(secret);
    }
    const { stderr } = await (serving ?? (await serve())).end("SIGTERM");
    expect(stderr).not.toContain(secret);
  });

  test("loses nothing that it answered, killed at any moment", async () => {
    await initHere();
    const answered = new Map<string, { persons: string[]; deks: string[] }>();
    const held = new Set<string>();
    let journal = 0;
    for (let round = 0; round < 3; round += 1) {
      const { socket, end } = await serve();
      const client = createKeyholderClient({ socketPath: socket });
      expect((await client.call("journal/head", {})).size).toBeGreaterThanOrEqual(journal);
      for (const [batchId, { persons, deks }] of answered) {
        expect(await client.call("roots/create", { batchId, persons })).toEqual({ deks });
      }
      const { holds } = await client.call("status", {});
      expect(holds.map(({ hold }) => hold)).toEqual(expect.arrayContaining([...held]));
      const work = Array.from({ length: 12 }, async (_, at) => {
        const batchId = `b-${round}-${at}`;
        const persons = Array.from({ length: 40 }, () => randomUUID());
        answered.set(batchId, { persons, ...(await client.call("roots/create", { batchId, persons })) });
        const hold = randomUUID();
        await client.call("holds/place", { recipient: RECIPIENT, hold, reason: "test" });
        held.add(hold);
        journal = Math.max(journal, (await client.call("journal/head", {})).size);
      });
      setTimeout(() => end("SIGKILL"), 20 + round * 40);
      const outcomes = await Promise.allSettled(work);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        expect(outcome.reason).toBeInstanceOf(KeyholderError);
        expect(outcome.reason.code).toBe("keyholder-unreachable");
      }
      await end("SIGKILL");
      client.close();
    }
    expect(answered.size).toBeGreaterThan(0);
  });

  test("answers the same bytes for a release before and after it was killed, and counts it once", async () => {
    const test1 = await startTestKeyholder();
    test1.clock.now = new Date();
    const keys = makeBureauKeys();
    const world = createScenario(test1, keys, pinEverything(test1, keys));
    const shown: Shown[] = [];
    for (let at = 0; at < 24; at += 1) {
      const job = world.makeJob();
      shown.push(world.log(job, await world.ask(job, { line: `line-${at}` })));
    }
    rmSync(folder, { recursive: true });
    test1.keyholder.store.close();
    renameSync(test1.folder, folder);
    const kept = new Map<string, Outcome>();
    for (let round = 0; round < 3; round += 1) {
      const { socket, end } = await serve();
      const client = createKeyholderClient({ socketPath: socket });
      for (const [hash, outcome] of kept) {
        expect(await client.call("releases/outcomes", { leafHashes: [hash] })).toEqual({ outcomes: [outcome] });
      }
      if (round < 2) setTimeout(() => end("SIGKILL"), 15 + 30 * round);
      const asked = shown.map((release) => client.call("releases/decide", { releases: [release] }));
      for (const answer of await Promise.allSettled(asked)) {
        const outcome = answer.status === "fulfilled" ? answer.value.outcomes[0] : undefined;
        if (outcome === undefined) continue;
        expect(wordOf(outcome)).toBe("released");
        expect(kept.get(outcome.leafHash) ?? outcome).toEqual(outcome);
        kept.set(outcome.leafHash, outcome);
      }
      await end("SIGKILL");
      client.close();
    }
    expect(kept.size).toBe(24);
  });
});
