import type { Command } from "commander";
import { contextOf } from "./context.ts";
import { toExposureText } from "./exposure-text.ts";

export function registerExposure(program: Command): void {
  program
    .command("exposure")
    .description("who was exposed at a recipient, with what, how sure, and for how long")
    .requiredOption("--recipient <id>")
    .requiredOption("--from <instant>", "window, inclusive (ISO 8601)")
    .requiredOption("--to <instant>", "window, exclusive (ISO 8601)")
    .option("--csv", "one line a person (pseudonyms)")
    .action(async (options: { recipient: string; from: string; to: string; csv?: boolean }, command: Command) => {
      const context = contextOf(command);
      const query = new URLSearchParams({ recipient: options.recipient, from: options.from, to: options.to });
      if (options.csv) query.set("format", "csv");
      const answer = await context.desk("security.one").get(`/api/exposure?${query}`);
      if (typeof answer === "string") context.answer({ csv: answer }, answer.trimEnd());
      else context.answer(answer, context.json ? undefined : toExposureText(answer));
    });
}
