import type { Command } from "commander";
import { originOf } from "../services/home.ts";
import { contextOf } from "./context.ts";

export function registerLedgerKey(ledger: Command): void {
  ledger
    .command("key")
    .description(
      "print the log's verifier key, by which anybody verifies or witnesses it; its name is the log's origin",
    )
    .action((_options: object, command: Command) => {
      const context = contextOf(command);
      const settings = context.settings();
      const { logVerifierKey } = settings;
      context.answer({ origin: originOf(settings), logVerifierKey }, logVerifierKey);
    });
}
