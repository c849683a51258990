import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const main = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));
const PATIENCE_MS = 90_000;

const until = async (holds: () => boolean): Promise<boolean> => {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(100)) if (holds()) return true;
  return false;
};

/** Processes whose command line names this folder. */
const processesOf = (folder: string): string[] =>
  readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });

it("a demonstration that is ended by a signal leaves no process behind", async () => {
  const home = mkdtempSync("/var/tmp/tip-end-");
  try {
    const flags = ["--disable-warning=ExperimentalWarning", main, "--home", home, "demo", "--people", "100"];
    const child = spawn(process.execPath, flags, { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    expect(await until(() => existsSync(join(home, "logs", "desk.log")))).toBe(true);
    expect(processesOf(home).length).toBeGreaterThan(1);
    child.kill("SIGTERM");
    expect(await ended).toBe(143);
    expect(await until(() => processesOf(home).length === 0)).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}, 200_000);
