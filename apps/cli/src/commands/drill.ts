import { join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { runDrill } from "../drill/drill.ts";
import { drillTable } from "../drill/drill-table.ts";
import { BUILT_LEVELS, type BuiltLevel } from "../drill/levels.ts";
import { createProgress } from "../progress.ts";
import { deskDatabaseUrl } from "../services/installation.ts";
import { contextOf } from "./context.ts";

const LEVELS = 6;

export function registerDrill(program: Command): void {
  program
    .command("drill")
    .description("rob this installation as thieves of each level would, and count who could be read")
    .option("--level <n>", "one level (1 to 6); every built one when left out")
    .option("--known <folder>", "the HR extract that was imported: extract.csv and photos/")
    .action(async (options: { level?: string; known?: string }, command: Command) => {
      const context = contextOf(command);
      const levels = chosenLevels(options.level);
      context.settings();
      const databaseUrl = deskDatabaseUrl(context.home);
      const extractFolder = options.known ?? join(context.home.root, "extract");
      const { step } = createProgress(process.stderr);
      const result = await runDrill({ home: context.home, databaseUrl, extractFolder, levels, step });
      context.answer(result, drillTable(result.levels));
      if (result.levels.some(({ people }) => people > 0)) process.exitCode = 1;
    });
}

function chosenLevels(given: string | undefined): readonly BuiltLevel[] {
  if (given === undefined) return BUILT_LEVELS;
  const level = Number(given);
  const built = BUILT_LEVELS.find((candidate) => candidate === level);
  if (built !== undefined) return [built];
  if (Number.isInteger(level) && level >= 1 && level <= LEVELS) {
    throw new CliError(
      "not-built",
      `Level ${level} of the drill is not built yet.`,
      `Built: ${BUILT_LEVELS.join(", ")}.`,
    );
  }
  throw new CliError("bad-input", `--level ${given}`, "A level from 1 to 6.");
}
