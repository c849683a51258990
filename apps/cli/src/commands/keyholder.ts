import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { toJournalText } from "./answer-texts.ts";
import { contextOf } from "./context.ts";
import { readNamed, readSigned } from "./signed-file.ts";
import { parseWholeNumber } from "./whole-number.ts";

const pinnedSchema = z.looseObject({ ok: z.boolean(), reason: z.string().optional() });

export function registerKeyholder(program: Command): void {
  const keyholder = program.command("keyholder").description("the keyholder's console, on its own machine");
  const allow = keyholder.command("allow").description("what the keyholder did not know, it refuses");
  allow
    .command("agreement <file>")
    .description("pin an agreement; FILE.sig holds both signatures")
    .action(async (file: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      const answer = await context.console().post("/agreements/pin", readSigned(file));
      const pinned = pinnedSchema.parse(answer);
      if (!pinned.ok)
        throw new CliError("refused", `The agreement is not pinned: ${pinned.reason}.`, "Nothing was changed.");
      context.answer(answer);
    });
  allow.command("log <origin>").action(async (origin: string, _options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.console().post("/log/pin", { origin }));
  });
  allow
    .command("witnesses <policy-file>")
    .description("pin the policy whose quorum must have cosigned the checkpoint under every release")
    .action(async (file: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.console().post("/witnesses/pin", { policy: readNamed(file).toString("utf8") }));
    });
  allow
    .command("recipient <id> <verifier-key>")
    .action(async (recipient: string, verifierKey: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.console().post("/recipients/pin", { recipient, verifierKey }));
    });
  allow
    .command("openings")
    .argument("<n>", "how many more may be opened today", parseWholeNumber)
    .description("raise today's budget of openings")
    .requiredOption("--reason <words>")
    .action(async (n: number, options: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const body = { openings: n, reason: options.reason };
      context.answer(await context.console().post("/budget/raise", body));
    });
  keyholder.command("status").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.console().post("/status", {}));
  });
  keyholder
    .command("journal")
    .option("--from <n>", "first entry", parseWholeNumber, 0)
    .option("--limit <n>", "at most so many", parseWholeNumber, 100)
    .action(async (options: { from: number; limit: number }, command: Command) => {
      const context = contextOf(command);
      const journal = await context.console().post("/journal", options);
      context.answer(journal, toJournalText(journal));
    });
}
