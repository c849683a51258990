import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { initBureau } from "./installation/init.ts";
import { pin } from "./installation/pins.ts";
import { signAgreement } from "./installation/sign-agreement.ts";
import { startBureau } from "./serve.ts";
import { startTestForce } from "./test-force.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const flags = ["--disable-warning=ExperimentalWarning", main];

/** One command of the bureau, as a process. */
export async function runCommand(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...flags, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding("utf8").toArray(),
    child.stderr.setEncoding("utf8").toArray(),
    new Promise<number | null>((resolve) => child.once("exit", resolve)),
  ]);
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}

export type TestBureau = Awaited<ReturnType<typeof createTestBureau>>;

/** A bureau and its force, established: keys made, agreement signed by both, pinned. */
export async function createTestBureau(options: { lines: number }) {
  const root = mkdtempSync(join(tmpdir(), "bureau-test-"));
  const folder = join(root, "bureau");
  const printer = join(root, "printer");
  const { keys } = initBureau({ folder, recipient: "cardmaker", printer, lines: options.lines });
  const force = await startTestForce(keys);
  const signed = signAgreement({ folder, file: force.agreementFile });
  writeFileSync(`${force.agreementFile}.sig`, force.forceSignature + signed);
  const pins = {
    folder,
    forceVerifierKey: force.forceVerifierKey,
    logVerifierKey: force.logVerifierKey,
    deskUrl: force.url,
    replyKeyId: "desk-reply",
    replyPublicKey: force.replyPublicKey,
    agreement: force.agreementFile,
  };
  pin(pins);
  return {
    root,
    folder,
    printer,
    force,
    pins,
    pages: () => readdirSync(printer).filter((name) => name.endsWith(".pdf")),
    spoiled: () => readdirSync(join(printer, "spoiled")),
    remove: async () => {
      await force.close();
      rmSync(root, { recursive: true });
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of an answer, place by place.
type Json = any;
type Running = { port: number; log: () => string; stop: () => Promise<unknown>; kill: () => Promise<unknown> };

/** The bureau inside the test's process; `now` is what its clock says. */
export async function serve(bureau: { folder: string }, now = () => new Date()): Promise<Served> {
  let log = "";
  const stream = {
    write: (text: string) => {
      log += text;
    },
  };
  const { port, stop } = await startBureau({
    folder: bureau.folder,
    port: 0,
    log: pino({ level: "trace" }, stream),
    now,
  });
  return withApi(bureau.folder, { port, log: () => log, stop, kill: stop });
}

/** The bureau as a process of its own, which can be killed. */
export async function serveProcess(bureau: { folder: string }): Promise<Served> {
  const args = [...flags, "serve", "--folder", bureau.folder, "--log-level", "warn"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    log += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text) => resolve(JSON.parse(text).port));
    child.once("exit", () => reject(new Error(`the bureau ended: ${log}`)));
  });
  const end = (signal: "SIGTERM" | "SIGKILL") => async () => {
    child.kill(signal);
    return exited;
  };
  return withApi(bureau.folder, { port, log: () => log, stop: end("SIGTERM"), kill: end("SIGKILL") });
}

export type Served = ReturnType<typeof withApi>;

function withApi(folder: string, running: Running) {
  const token = readFileSync(join(folder, "token"), "utf8").trim();
  const bearer = { authorization: `Bearer ${token}` };
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = bearer) => {
    const json = { ...headers, "content-type": "application/json" };
    const init = body === undefined ? { method, headers } : { method, headers: json, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${running.port}${path}`, init);
    const answer: Json = await response.json();
    return { status: response.status, json: answer };
  };
  return {
    ...running,
    call,
    get: async (path: string) => (await call("GET", path)).json,
    post: async (path: string, body: unknown) => (await call("POST", path, body)).json,
  };
}

/** Waits until it is true; fails after ten seconds. */
export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
