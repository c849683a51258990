import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { contextOf } from "./context.ts";

export function registerKeyholder(program: Command): void {
  const keyholder = program.command("keyholder").description("the keyholder's console, on its own machine");
  const allow = keyholder.command("allow").description("what the keyholder did not know, it refuses");
  allow
    .command("agreement <file>")
    .description("pin an agreement; FILE.sig holds both signatures")
    .action(async (file: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      const body = { bytes: readFileSync(file).toString("base64url"), signatures: readFileSync(`${file}.sig`, "utf8") };
      context.answer(await context.console().post("/agreements/pin", body));
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
      context.answer(await context.console().post("/witnesses/pin", { policy: readFileSync(file, "utf8") }));
    });
  allow
    .command("recipient <id> <verifier-key>")
    .action(async (recipient: string, verifierKey: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.console().post("/recipients/pin", { recipient, verifierKey }));
    });
  allow
    .command("openings <n>")
    .description("raise today's budget of openings")
    .requiredOption("--reason <words>")
    .action(async (n: string, options: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const body = { openings: Number(n), reason: options.reason };
      context.answer(await context.console().post("/budget/raise", body));
    });
  keyholder.command("status").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.console().post("/status", {}));
  });
  keyholder
    .command("journal")
    .option("--from <n>", "first entry", Number, 0)
    .option("--limit <n>", "at most so many", Number, 100)
    .action(async (options: { from: number; limit: number }, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.console().post("/journal", options));
    });
}
