import type { Command } from "commander";
import { z } from "zod";
import { toBureauText } from "./answer-texts.ts";
import { contextOf } from "./context.ts";

const resentSchema = z.looseObject({ refused: z.record(z.string(), z.int()) });

export function registerBureau(program: Command): void {
  const bureau = program
    .command("bureau")
    .description("the contractor's side: fetch, print, resolve, resend-receipts, restart, status");
  bureau.command("fetch").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.bureau().post("/fetch", {}));
  });
  bureau
    .command("print")
    .option("--run <id>", "one run; every open one when left out")
    .action(async (options: { run?: string }, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.bureau().post("/print", options.run ? { run: options.run } : {}));
    });
  bureau
    .command("resolve <job>")
    .description("after looking at the blank: was it printed?")
    .requiredOption("--result <result>", "produced or spoiled")
    .requiredOption("--operator <id>", "who looked")
    .action(async (job: string, options: { result: string; operator: string }, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.bureau().post("/resolve", { job, ...options }));
    });
  bureau
    .command("resend-receipts")
    .description("send acknowledged receipts again, to a force that lost them; what it has stays as it is")
    .option("--since <time>", "made then or later, such as 2026-06-01T12:00:00Z")
    .option("--order <id>", "of this order alone")
    .action(async (options: { since?: string; order?: string }, command: Command) => {
      const context = contextOf(command);
      const resent = resentSchema.parse(await context.bureau().post("/receipts/resend", options));
      context.answer(resent);
      if (Object.keys(resent.refused).length > 0) process.exitCode = 1;
    });
  bureau
    .command("restart <line>")
    .description("take over a stopped line that two people of the force restarted (lines restart)")
    .requiredOption("--operator <id>", "who does it")
    .action(async (line: string, options: { operator: string }, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.bureau().post("/restart", { line, ...options }));
    });
  bureau.command("status").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    const status = await context.bureau().get("/status");
    context.answer(status, toBureauText(status));
  });
}
