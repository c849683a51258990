import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli-error.ts";

const READY_SECONDS = 60;
const apps = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** An app of the house as a child process. */
export type AppProcess = {
  readonly name: string;
  readonly pid: number;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
};

export type AppName = "desk" | "keyholder" | "bureau";

/** MiB for what is young. More is collected less often; the desk, which holds pages and portraits, is kept small. */
const NURSERY_MIB = { desk: 16, keyholder: 32, bureau: 32 } as const;
const flagsFor = (app: AppName) => [
  "--disable-warning=ExperimentalWarning",
  `--max-semi-space-size=${NURSERY_MIB[app]}`,
];
/**
 * Pages and portraits come and go by the ten thousand. The C library would keep what they leave behind, in an arena for
 * each thread; so they get mappings of their own, which go back to the system when they are freed.
 */
const memory = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "32768", MALLOC_TRIM_THRESHOLD_: "131072" };
const frugalEnv = { ...memory, ...process.env };
const mainOf = (app: AppName) => join(apps, app, "src", "main.ts");

const children = new Map<ChildProcess, NodeJS.Signals>();

/** A child that must not outlive this process; `end` is the signal that it ends orderly by. */
export function adoptChild(child: ChildProcess, end: NodeJS.Signals): void {
  children.set(child, end);
  child.once("exit", () => children.delete(child));
}

/** Where nothing else waits for the signal, it ends the children and then this process. */
export function endChildrenOnSignal(): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return;
      for (const [child, end] of children) child.kill(end);
      process.exit(code);
    });
  }
}

/** `whileStarting`: aborting it kills the app before it is ready, as a power cut would. */
export type StartOptions = { whileStarting?: AbortSignal | undefined };

/** Starts an app's `serve` and waits for its line `{"ready":true}` on stdout. Logs go to `logFile`. */
export async function startApp(
  app: AppName,
  args: readonly string[],
  logFile: string,
  { whileStarting }: StartOptions = {},
): Promise<AppProcess> {
  const log = openSync(logFile, "a");
  const logged = fstatSync(log).size;
  const child = spawn(process.execPath, [...flagsFor(app), mainOf(app), ...args], {
    env: frugalEnv,
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  adoptChild(child, "SIGTERM");
  const cut = () => child.kill("SIGKILL");
  whileStarting?.addEventListener("abort", cut);
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    const failure = (what: string) => reject(new CliError("failed", `The ${app} ${what}.`, `Read ${logFile}.`));
    const timer = setTimeout(() => {
      cut();
      failure("did not become ready in time");
    }, READY_SECONDS * 1000);
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      seen = (seen + chunk.toString("utf8")).slice(-65536);
      if (!/"ready":\s*true/.test(seen)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once("error", (error) => failure(`cannot be started (${error.message})`));
    child.once("exit", (code) => {
      clearTimeout(timer);
      const words = lastWords(app, readFileSync(logFile).subarray(logged).toString("utf8"));
      failure(words === undefined ? `ended with code ${code}` : `did not start: ${words}`);
    });
  }).finally(() => whileStarting?.removeEventListener("abort", cut));
  if (child.pid === undefined) throw new CliError("failed", `The ${app} has no process id.`, "Try again.");
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await exited;
  };
  return { name: app, pid: child.pid, exited, stop: end("SIGTERM"), kill: end("SIGKILL") };
}

/** Why the app says that it ended: beside its log, which is JSON, the one line that bears its name. */
function lastWords(app: AppName, log: string): string | undefined {
  const line = log.split("\n").findLast((text) => text.startsWith(`${app}: `));
  return line?.slice(app.length + 2).replace(/\.$/, "");
}

/** Runs one command of an app to its end; answers what it wrote to stdout. stderr (progress) goes to ours when asked. */
export async function runApp(
  app: AppName,
  args: readonly string[],
  options: { progress?: boolean } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...flagsFor(app), mainOf(app), ...args], {
    env: frugalEnv,
    stdio: ["ignore", "pipe", options.progress ? "inherit" : "pipe"],
  });
  adoptChild(child, "SIGTERM");
  const read = async (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = [];
    if (stream) for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString("utf8");
  };
  const [stdout, stderr, code] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 2))),
  ]);
  return { code, stdout, stderr };
}

/** Below those that systems give to outgoing connections: such a port is taken only by who asks for it. */
const PORTS = { first: 15_000, end: 32_000 };

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(PORTS.first, PORTS.end);
    if (await isFree(port)) return port;
  }
  throw new CliError("failed", "No free port.", "Try again.");
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
