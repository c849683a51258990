import type { Command } from "commander";
import { createProgress } from "../progress.ts";
import { toHoldsText, toRunsText } from "./answer-texts.ts";
import { contextOf } from "./context.ts";
import { parseWholeNumber } from "./whole-number.ts";

export function registerOrders(program: Command): void {
  const orders = program.command("orders").description("batches of approved requests for one recipient");
  orders
    .command("create")
    .requiredOption("--recipient <id>")
    .option("--limit <n>", "at most so many cards", parseWholeNumber)
    .action(async (options: { recipient: string; limit?: number }, command: Command) => {
      const context = contextOf(command);
      const progress = createProgress(process.stderr);
      const order = await progress.step("Composing and sealing", () =>
        context.desk("production.lead").stream("/api/orders", options, () => undefined),
      );
      context.answer(order);
    });
  orders.command("show <order>").action(async (order: string, _options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.desk("production.lead").get(`/api/orders/${encodeURIComponent(order)}`));
  });

  const runs = program.command("runs").description("what is open for production");
  runs
    .command("open <order>")
    .option("--jobs <n>", "at most so many jobs", parseWholeNumber)
    .option("--minutes <n>", "open for so long", parseWholeNumber, 480)
    .action(async (order: string, options: { jobs?: number; minutes: number }, command: Command) => {
      const context = contextOf(command);
      const body = { order, untilMinutes: options.minutes, ...(options.jobs ? { jobs: options.jobs } : {}) };
      context.answer(await context.desk("production.lead").post("/api/runs", body));
    });
  runs.command("close <run>").action(async (run: string, _options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.desk("production.lead").post(`/api/runs/${encodeURIComponent(run)}/close`, {}));
  });
  runs.command("show").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    const runs = await context.desk("production.lead").get("/api/runs");
    context.answer(runs, toRunsText(runs));
  });

  const releases = program.command("releases").description("single releases");
  releases
    .command("list")
    .description("released, and no receipt yet")
    .option("--waiting", "those alone whose further attempt waits for a person's approval")
    .option("--recipient <id>")
    .action(async (options: { waiting?: boolean; recipient?: string }, command: Command) => {
      const context = contextOf(command);
      const query = new URLSearchParams({ waiting: String(options.waiting ?? false) });
      if (options.recipient !== undefined) query.set("recipient", options.recipient);
      context.answer(await context.desk("security.one").get(`/api/releases?${query}`));
    });
  releases
    .command("approve <job>")
    .description("a further attempt beyond the agreement's")
    .requiredOption("--attempt <n>", "which attempt", parseWholeNumber)
    .action(async (job: string, options: { attempt: number }, command: Command) => {
      const context = contextOf(command);
      const body = { job, attempt: options.attempt };
      context.answer(await context.desk("security.one").post("/api/attempts/approve", body));
    });

  const holds = program.command("holds").description("stopped recipients");
  holds.command("list").action(async (_options: unknown, command: Command) => {
    const context = contextOf(command);
    const standing = await context.desk("security.one").get("/api/holds");
    context.answer(standing, toHoldsText(standing));
  });
  holds
    .command("place <recipient>")
    .requiredOption("--reason <words>")
    .action(async (recipient: string, options: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const body = { recipient, reason: options.reason };
      context.answer(await context.desk("security.one").post("/api/holds", body));
    });
  holds
    .command("lift <hold>")
    .description("takes two people: run it again --as somebody else")
    .option("--despite <reason>", "lift although what tripped it is not resolved")
    .action(async (hold: string, options: { despite?: string }, command: Command) => {
      const context = contextOf(command);
      const path = `/api/holds/${encodeURIComponent(hold)}/lift`;
      context.answer(await context.desk("security.one").post(path, options));
    });

  program
    .command("lines")
    .description("printing lines of a recipient")
    .command("restart <recipient> <line>")
    .description("let a stopped line begin anew, while its recipient is held; takes two people (--as)")
    .action(async (recipient: string, line: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.desk("security.one").post("/api/lines/restart", { recipient, line }));
    });
}
