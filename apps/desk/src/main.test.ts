import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { activateTestAgreement } from "./database/test-bureau.ts";
import { startTestDesk, type TestDesk } from "./database/test-desk.ts";
import { addTestPeople } from "./database/test-people.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const readySchema = z.object({ ready: z.literal(true), port: z.int() });
let test: TestDesk;

beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

/** Runs a command to its end. */
async function run(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, stderr };
}

async function serve(): Promise<{ child: ChildProcess; port: number; exited: Promise<number | null> }> {
  const child = spawn(process.execPath, [main, "serve", "--config", test.configFile], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8")));
    child.once("exit", (code) => reject(new Error(`serve ended with code ${code}`)));
  });
  return { child, exited, port: readySchema.parse(JSON.parse(line)).port };
}

function orderOn(port: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/api/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${test.as("production.lead").token}`, "content-type": "application/json" },
    body: JSON.stringify({ recipient: "cardmaker" }),
  });
}

describe("desk", () => {
  it("lists every missing and wrong key of its configuration at once, with exit code 2", async () => {
    const file = join(test.folder, "wrong.json");
    writeFileSync(file, JSON.stringify({ port: 70000, force: "a b", folders: { data: "x" }, colour: 1 }));
    const { code, stderr } = await run("serve", "--config", file);
    expect(code).toBe(2);
    for (const key of ["databaseUrl", "keyholderSocket", "force", "publicUrl", "port", "replyKeyFile"])
      expect(stderr).toContain(`${key}: required`);
    for (const key of ["folders.tiles", "folders.openings", "folders.orders", "folders.reports"])
      expect(stderr).toContain(key);
    expect(stderr).toContain("colour: no such key");
  });
  it("refuses a configuration that is not there, an unknown role, and a second init", async () => {
    const none = await run("serve", "--config", join(test.folder, "none.json"));
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("cannot be read")]);
    const role = await run("init", "--config", test.configFile, "--staff", "somebody:king");
    expect([role.code, role.stderr]).toEqual([2, expect.stringContaining("roles of")]);
    const again = await run("init", "--config", test.configFile);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("already")]);
  });
  it("refuses to serve a log whose tree is gone", async () => {
    const { tiles } = test.config.folders;
    renameSync(tiles, `${tiles}.away`);
    const { code, stderr } = await run("serve", "--config", test.configFile);
    renameSync(`${tiles}.away`, tiles);
    expect([code, stderr]).toEqual([2, expect.stringContaining("is gone")]);
  });
  it("ends with code 0 on SIGTERM", async () => {
    const { child, exited } = await serve();
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });
});

describe("desk, killed while it seals an order", () => {
  it("leaves nothing of it visible, and makes the whole order when asked again", async () => {
    await addTestPeople(
      test.desk,
      Array.from({ length: 300 }, () => ({})),
    );
    await test.console("budget/raise", { openings: 3000, reason: "test" });
    await activateTestAgreement(test);
    await test.as("cards.clerk").post("/api/requests", { all: true });
    await test.as("cards.approver").post("/api/requests/approve", { all: true });
    const first = await serve();
    // Only the answer's head: the first card is sealed, the last is not.
    const answer = await orderOn(first.port);
    expect(answer.status).toBe(200);
    answer.body?.cancel().catch(() => undefined);
    first.child.kill("SIGKILL");
    await first.exited;
    const { rows } = await test.desk.pool.query(
      "select (select count(*)::int from job) jobs, (select count(*)::int from card) cards",
    );
    expect(rows[0]).toEqual({ jobs: 0, cards: 0 });
    await sleep(200);
    const second = await serve();
    expect(readdirSync(test.config.folders.orders)).toEqual([]);
    const lines = (await (await orderOn(second.port)).text()).trimEnd().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ jobs: 300 });
    second.child.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    const orders = await test.desk.pool.query(`select state, jobs from "order"`);
    expect(orders.rows).toEqual([{ state: "sealed", jobs: 300 }]);
  });
});
