import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createKeyholderClient } from "@tipstaff/release-protocol/node";
import type { FastifyInstance } from "fastify";
import { composeDesk, createLogger, createPool } from "../compose.ts";
import { type Config, readConfig } from "../config.ts";
import type { Desk } from "../desk.ts";
import { initDesk, parseStaff } from "../init.ts";
import { createServer } from "../server/server.ts";
import { createTestBureau, type TestBureau } from "./test-bureau.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";
import { type Answer, type StaffApi, TEST_STAFF, type TestLogin } from "./test-staff.ts";

const here = dirname(fileURLToPath(import.meta.url));
const ORIGIN = "exampleshire-police.example/tipstaff/log";
const keyholderMain = join(here, "..", "..", "..", "keyholder", "src", "main.ts");

export type TestProcess = { readonly pid: number; readonly kill: (signal?: NodeJS.Signals) => Promise<void> };

export type TestDesk = {
  readonly folder: string;
  readonly config: Config;
  readonly configFile: string;
  readonly desk: Desk;
  readonly app: FastifyInstance;
  readonly postgres: TestPostgres;
  readonly bureau: TestBureau;
  readonly keyholder: () => TestProcess;
  /** Ends the keyholder with SIGKILL and starts it again on the same store. */
  readonly restartKeyholder: () => Promise<void>;
  readonly console: (call: string, body: unknown) => Promise<unknown>;
  readonly as: (login: TestLogin) => StaffApi;
  readonly stop: () => Promise<void>;
};

/** A whole force in a temporary folder: real PostgreSQL, real keyholder process, and a desk in this process. */
export async function startTestDesk({ durable = false } = {}): Promise<TestDesk> {
  const folder = mkdtempSync(join(tmpdir(), "desk-"));
  chmodSync(folder, 0o711);
  const postgres = await startTestPostgres(join(folder, "postgres"), { durable });
  try {
    await makeKeyholder(folder);
    const keyholder = await serveKeyholder(folder);
    return await composeTestDesk(folder, { postgres, keyholder }).catch(async (error) => {
      await keyholder.kill("SIGKILL");
      throw error;
    });
  } catch (error) {
    await postgres.kill();
    throw error;
  }
}

async function composeTestDesk(
  folder: string,
  started: { postgres: TestPostgres; keyholder: TestProcess },
): Promise<TestDesk> {
  const { postgres } = started;
  let { keyholder } = started;
  const bureau = createTestBureau();
  const configFile = writeConfig(folder, { databaseUrl: postgres.url, bureau });
  const config = readConfig(configFile);
  const tokens = await initTestDesk(config);
  const { desk, close } = await composeDesk(config);
  const consoleCall = (call: string, body: unknown) => post(join(folder, "console.sock"), call, body);
  await consoleCall("log/pin", { origin: desk.origin });
  desk.sequencer.start();
  const app = createServer(desk);
  await app.ready();
  const { rows } = await desk.pool.query<{ login: string; id: string }>("select login, id from staff");
  const ids = new Map(rows.map(({ login, id }) => [login, id]));
  return {
    ...{ folder, config, configFile, desk, app, postgres, bureau },
    keyholder: () => keyholder,
    restartKeyholder: async () => {
      await keyholder.kill("SIGKILL");
      keyholder = await serveKeyholder(folder);
    },
    console: consoleCall,
    as: (login) => staffApi(app, { id: ids.get(login) ?? "", token: tokens[login] ?? "" }),
    stop: async () => {
      await app.close();
      await desk.sequencer.stop();
      await close();
      await keyholder.kill("SIGTERM");
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeConfig(folder: string, given: { databaseUrl: string; bureau: TestBureau }): string {
  const { databaseUrl, bureau } = given;
  const folders = Object.fromEntries(["data", "tiles", "openings", "orders", "reports"].map((name) => [name, name]));
  const file = join(folder, "config.json");
  const config = {
    ...{ databaseUrl, folders, port: 0, logLevel: process.env.TEST_LOG_LEVEL ?? "warn" },
    keyholderSocket: "keyholder.sock",
    force: "exampleshire-police",
    publicUrl: "http://desk.example",
    replyKeyFile: "reply.key",
    recipients: { [bureau.recipient]: bureau.verifierKey },
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

async function initTestDesk(config: Config): Promise<Record<string, string>> {
  const pool = createPool(config, createLogger(config));
  const keyholder = createKeyholderClient({ socketPath: config.keyholderSocket });
  try {
    const staff = Object.entries(TEST_STAFF).map(([login, roles]) => parseStaff(`${login}:${roles}`));
    return (await initDesk({ pool, keyholder, config }, staff)).tokens;
  } finally {
    keyholder.close();
    await pool.end();
  }
}

function staffApi(app: FastifyInstance, { id, token }: { id: string; token: string }): StaffApi {
  const headers = { authorization: `Bearer ${token}` };
  const call = async (method: "GET" | "POST", url: string, body?: unknown): Promise<Answer> => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const { statusCode, body: text } = await app.inject({ method, url, headers: { ...headers, ...type }, ...payload });
    return { status: statusCode, text, body: toJson(text) };
  };
  return { id, token, get: (path) => call("GET", path), post: (path, body) => call("POST", path, body) };
}

/** The last line of what came; progress streams have several. */
function toJson(text: string): unknown {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  return line === "" ? undefined : JSON.parse(line);
}

async function makeKeyholder(folder: string): Promise<void> {
  mkdirSync(join(folder, "keys"), { mode: 0o700 });
  const args = [
    "init",
    "--folder",
    join(folder, "keys", "keyholder"),
    "--force",
    "exampleshire-police",
    ...["--origin", ORIGIN],
  ];
  const child = spawn(process.execPath, [keyholderMain, ...args, "--not-in", join(folder, "postgres")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`keyholder init ended with code ${String(code)}`);
}

async function serveKeyholder(folder: string): Promise<TestProcess> {
  const args = ["serve", "--folder", join(folder, "keys", "keyholder"), "--log-level", "warn"];
  const sockets = ["--socket", join(folder, "keyholder.sock"), "--console-socket", join(folder, "console.sock")];
  const child = spawn(process.execPath, [keyholderMain, ...args, ...sockets], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => chunk.includes('"ready"') && resolve());
    child.once("exit", (code) => reject(new Error(`keyholder serve ended with code ${code}`)));
  });
  const kill = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    await exited;
  };
  return { pid: child.pid ?? 0, kill };
}

function post(socketPath: string, call: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request({ socketPath, method: "POST", path: `/${call}`, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(Buffer.from(chunk));
      const text = Buffer.concat(chunks).toString("utf8");
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`console ${call}: ${response.statusCode} ${text}`));
    });
    sent.once("error", reject);
    sent.end(JSON.stringify(body));
  });
}
