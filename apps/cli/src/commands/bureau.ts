import type { Command } from "commander";
import { contextOf } from "./context.ts";

export function registerBureau(program: Command): void {
  const bureau = program.command("bureau").description("the contractor's side: fetch, print, resolve, restart, status");
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
    .command("restart <line>")
    .description("take over a stopped line that two people of the force restarted (lines restart)")
    .requiredOption("--operator <id>", "who does it")
    .action(async (line: string, options: { operator: string }, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.bureau().post("/restart", { line, ...options }));
    });
  bureau.command("status").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.bureau().get("/status"));
  });
}
