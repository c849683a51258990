import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { runDemo } from "../demo/demo.ts";
import { createProgress } from "../progress.ts";
import { contextOf } from "./context.ts";

const MOST_PEOPLE = 200_000;
const FEWEST_PEOPLE = 20;

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("the whole main job on an example force, then the drill")
    .option("--people <n>", "how many people", "1000")
    .option("--seed <text>", "the same seed makes the same force", "tipstaff")
    .option("--log-level <level>", "of every process", "info")
    .action(async (options: { people: string; seed: string; logLevel: string }, command: Command) => {
      const people = Number(options.people);
      if (!Number.isInteger(people) || people < FEWEST_PEOPLE || people > MOST_PEOPLE) {
        throw new CliError(
          "bad-input",
          `--people ${options.people}`,
          `A whole number from ${FEWEST_PEOPLE} to ${MOST_PEOPLE}.`,
        );
      }
      const context = contextOf(command);
      const given = command.parent?.getOptionValueSource("home") === "cli" || process.env.TIPSTAFF_HOME !== undefined;
      const folder = given ? context.home.root : resolve(context.home.root, "demo");
      const progress = createProgress(process.stderr);
      const { report, text } = await runDemo({
        folder,
        people,
        seed: options.seed,
        progress,
        logLevel: options.logLevel,
      });
      context.answer(report, text);
      if (report.drill.some((level) => level.people > 0) || !report.ledger.verified) process.exitCode = 1;
    });
}
