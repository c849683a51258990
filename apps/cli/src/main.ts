import { Command, CommanderError } from "commander";
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
import { explainError } from "./explain-error.ts";
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

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** One error in words on stderr, and as JSON on stdout when asked; answers the exit code. */
function tell(error: unknown): number {
  const explained = explainError(error);
  if (explained === undefined) return 0;
  const { message, advice, exitCode, facts, isDefect } = explained;
  // Of a command line that could not be read the options are not known; the word stands there all the same.
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ error: message, advice, ...facts })}\n`);
  if (error instanceof CommanderError) return exitCode;
  process.stderr.write(`tipstaff: ${message}\n${advice ? `  ${advice}\n` : ""}`);
  if (isDefect && process.env.TIPSTAFF_DEBUG) process.stderr.write(`${error instanceof Error ? error.stack : ""}\n`);
  return exitCode;
}
