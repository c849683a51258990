import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";

const bench = fileURLToPath(new URL("../../../../bench/main.ts", import.meta.url));

export function registerBench(program: Command): void {
  program
    .command("bench [names...]")
    .description("measure, each figure against a floor of the same run (from a clone)")
    .option("--people <n>", "how many people", "2000")
    .option("--verify-entries <n>", "how many entries in the log that is verified, 500 bytes of disk each", "2000000")
    .action(async (names: string[], options: { people: string; verifyEntries: string }, command: Command) => {
      const json = command.optsWithGlobals().json ? ["--json"] : [];
      const sizes = ["--people", options.people, "--verify-entries", options.verifyEntries];
      const args = [...process.execArgv, bench, ...names, ...sizes, ...json];
      const child = spawn(process.execPath, args, { stdio: "inherit" });
      process.exitCode = await new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 2)));
    });
}
