import { LedgerError } from "@tipstaff/ledger";
import { Command, CommanderError } from "commander";
import { CliError } from "./cli-error.ts";
import { registerAgreement } from "./commands/agreement.ts";
import { registerBench } from "./commands/bench.ts";
import { registerBureau } from "./commands/bureau.ts";
import { registerCards } from "./commands/cards.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerDisclosures } from "./commands/disclosures.ts";
import { registerDrill } from "./commands/drill.ts";
import { registerExposure } from "./commands/exposure.ts";
import { registerInstallation } from "./commands/installation.ts";
import { registerKeyholder } from "./commands/keyholder.ts";
import { registerLedger } from "./commands/ledger.ts";
import { registerOrders } from "./commands/orders.ts";
import { registerPeople } from "./commands/people.ts";
import { registerUnbuilt } from "./commands/unbuilt.ts";
import { endChildrenOnSignal } from "./services/processes.ts";

// Whatever this process and those that it starts make is their own user's alone.
process.umask(0o077);
endChildrenOnSignal();

const program = new Command("tipstaff")
  .description("Issue warrant cards and staff passes through a contractor that never holds more than it may.")
  .option("--home <dir>", "folder of an embedded installation", process.env.TIPSTAFF_HOME ?? ".tipstaff")
  .option("--as <login>", "whose token to use for the force's service")
  .option("--json", "print one JSON object on stdout")
  .showHelpAfterError("(tipstaff --help shows every command)")
  .exitOverride();

for (const register of [
  registerDemo,
  registerInstallation,
  registerPeople,
  registerCards,
  registerOrders,
  registerBureau,
  registerKeyholder,
  registerExposure,
  registerDisclosures,
  registerDrill,
  registerLedger,
  registerAgreement,
  registerBench,
  registerUnbuilt,
]) {
  register(program);
}

const UNREAD = "The rest was not looked at. Make that file readable, or take a new copy of the log, and ask again.";

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** One error in words on stderr (and as JSON on stdout when asked); answers the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof CliError;
  const unread = error instanceof LedgerError && error.code === "storage-failed";
  const message = error instanceof Error ? error.message : String(error);
  const advice = known ? error.advice : unread ? UNREAD : "This is a defect, please report it with what you typed.";
  if (program.opts().json) process.stdout.write(`${JSON.stringify({ error: message, advice })}\n`);
  process.stderr.write(`tipstaff: ${message}\n${advice ? `  ${advice}\n` : ""}`);
  if (!known && process.env.TIPSTAFF_DEBUG) process.stderr.write(`${error instanceof Error ? error.stack : ""}\n`);
  return known ? error.exitCode : 2;
}
