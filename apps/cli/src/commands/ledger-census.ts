import type { Command } from "commander";
import { z } from "zod";
import { contextOf } from "./context.ts";

const takenSchema = z.object({ seq: z.int(), people: z.int(), frozen: z.int() });

export function registerLedgerCensus(ledger: Command): void {
  ledger
    .command("census")
    .description("commit on the log to how many entries there are about each person; the desk does so daily by itself")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const taken = takenSchema.parse(await context.desk("security.one").post("/api/census", {}));
      const { seq, people, frozen } = taken;
      context.answer(taken, `Census ${seq}: ${people} people, ${frozen} of them erased. It is logged within seconds.`);
    });
}
