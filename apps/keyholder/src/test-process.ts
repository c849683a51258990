import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "main.ts");
const spawnMain = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const gather = (child: ChildProcess): Promise<Ended> => {
  const texts = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => {
    texts.stdout += chunk.toString("utf8");
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    texts.stderr += chunk.toString("utf8");
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...texts })));
};

/** Runs one command of the keyholder to its end. */
export const runMain = (args: readonly string[]): Promise<Ended> => gather(spawnMain(args));

export type Serving = {
  readonly socket: string;
  readonly consoleSocket: string;
  /** Ends the process by this signal; answers what it wrote. */
  readonly end: (signal: NodeJS.Signals) => Promise<Ended>;
};

/** A real keyholder process on the store in `folder`; rejects with what it said where it does not become ready. */
export async function serveMain(folder: string, args: readonly string[] = []): Promise<Serving> {
  const [socket, consoleSocket] = [join(folder, "desk.sock"), join(folder, "console.sock")];
  const sockets = ["--socket", socket, "--console-socket", consoleSocket];
  const child = spawnMain(["serve", "--folder", folder, ...sockets, "--log-level", "trace", ...args]);
  const ended = gather(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.includes('{"ready":true}\n')) resolve();
    });
    ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { socket, consoleSocket, end };
}
