import { existsSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";

const answerSchema = z.looseObject({ entries: z.array(z.unknown()), censuses: z.array(z.unknown()) });

export function registerPeopleHistory(people: Command): void {
  people
    .command("history <number>")
    .description("everything on the ledger about one person, with the keys that open it, for that person")
    .requiredOption("--export <file>", "where the history goes; it opens all that is logged about the person")
    .requiredOption("--purpose <words>", "why, as a request's number: stands in the journal, so no names")
    .action(async (number: string, options: { export: string; purpose: string }, command: Command) => {
      if (existsSync(options.export)) {
        throw new CliError("bad-input", `${options.export} exists.`, "Name another file with --export.");
      }
      const context = contextOf(command);
      const { purpose } = options;
      const history = answerSchema.parse(
        await context.desk("security.one").post("/api/people/history", { number, purpose }),
      );
      writeFileSync(options.export, `${JSON.stringify(history, null, 2)}\n`, { flag: "wx", mode: 0o600 });
      const told = { written: options.export, entries: history.entries.length, censuses: history.censuses.length };
      const words = `${told.entries} entries and ${told.censuses} censuses: ${told.written}. Whoever has this file can read them, and recognise later entries about this person.`;
      context.answer(told, words);
    });
}
