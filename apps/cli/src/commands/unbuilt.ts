import type { Command } from "commander";
import { CliError } from "../cli-error.ts";

const UNBUILT = {
  check: "verify a card's QR offline",
  inspect: "find personal data in a supplier's store beyond the agreement",
  watch: "see what a website sends, to whom, and whether it may",
  incident: "handle a breach from detection to closure",
} as const;

/** Commands of the contract that later rooms bring: they say so and exit 2, never pretend. */
export function registerUnbuilt(program: Command): void {
  for (const [name, purpose] of Object.entries(UNBUILT)) {
    program
      .command(name)
      .description(`${purpose} (not built yet)`)
      .argument("[arguments...]")
      .allowUnknownOption()
      .action(() => {
        throw new CliError("not-built", `tipstaff ${name} is not built yet.`, "ARCHITECTURE.md says which rooms are.");
      });
  }
}
