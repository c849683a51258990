import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "apps/cli/src/main.ts");
const FLAGS = ["--disable-warning=ExperimentalWarning"];
const END_SECONDS = 30;

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Types a command as a newcomer would, and waits for its end, at most `seconds`. */
export async function tipstaff(args: readonly string[], { seconds = 60 }: { seconds?: number } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [...FLAGS, main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGTERM"), seconds * 1000);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => {
      written[name] += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code, ...written };
}

/** `tipstaff serve all` in the background, until stopped. */
export const serveAll = (home: string, { seconds = 60 }: { seconds?: number } = {}) =>
  startServing(["--home", home, "--json", "serve", "all"], { seconds });

/** A command that serves until it is stopped; `ready` is the line of JSON by which it says so. */
export async function startServing(args: readonly string[], { seconds }: { seconds: number }) {
  const child = spawn(process.execPath, [...FLAGS, main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const ready = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${args.join(" ")} is not ready after ${seconds} s: ${stderr}`)),
      seconds * 1000,
    );
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      const line = stdout.split("\n").find((text) => text.includes('"ready":true') && text.endsWith("}"));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(line);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`${args.join(" ")} ended with ${code}: ${stderr}`));
    });
  });
  return { ready, stop: () => endChild(child) };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const timer = setTimeout(() => child.kill("SIGKILL"), END_SECONDS * 1000);
  child.kill("SIGTERM");
  await gone;
  clearTimeout(timer);
}
