import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { exampleAgreement } from "../demo/example-agreement.ts";
import { startTap } from "../drill/tap.ts";
import { createProgress } from "../progress.ts";
import { establish, startAll, stopAll } from "../services/establish.ts";
import { originOf } from "../services/home.ts";
import {
  initInstallation,
  publicPort,
  startBureau,
  startDatabase,
  startDesk,
  startKeyholder,
} from "../services/installation.ts";
import { contextOf } from "./context.ts";
import { parseWholeNumber } from "./whole-number.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");

export function registerInstallation(program: Command): void {
  program
    .command("init")
    .description("a new force with a bureau beside it: keys, log, database, a first signed agreement")
    .option("--force <id>", "the controller's id", "exampleshire-police")
    .option("--recipient <id>", "the card contractor's id", "cardmaker")
    .option("--origin <name>", "the log's name for ever, as police.example/log; without it FORCE.example/tipstaff/log")
    .option("--lines <n>", "printing lines of the bureau", parseWholeNumber, 8)
    .action(async (options: { force: string; recipient: string; origin?: string; lines: number }, command: Command) => {
      const context = contextOf(command);
      const progress = createProgress(process.stderr);
      const { home, settings } = await initInstallation(context.home.root, options);
      await progress.step("Keys, log, database, agreement", async () => {
        const agreement = (keys: readonly { id: string; use: string; publicKey: string }[]) =>
          exampleAgreement(repository, { keys, receiptWithin: "PT2M" });
        await stopAll(await establish(home, settings, { lines: options.lines, logLevel: "info", agreement }));
      });
      const { logVerifierKey, forceVerifierKey } = settings;
      context.answer({
        home: home.root,
        origin: originOf(settings),
        logVerifierKey,
        forceVerifierKey,
        agreements: home.agreements,
      });
    });
  program
    .command("serve [app]")
    .description("desk, keyholder, bureau or all, in the foreground until interrupted")
    .option("--log-level <level>", "trace, debug, info, warn or error; by default as each is configured")
    .action(async (app: string | undefined, options: { logLevel?: string }, command: Command) => {
      await serve(contextOf(command), app ?? "all", options.logLevel);
    });
}

async function serve(context: ReturnType<typeof contextOf>, app: string, logLevel?: string): Promise<void> {
  const { home } = context;
  const settings = context.settings();
  const single: Record<string, () => Promise<{ stop: () => Promise<void> }>> = {
    postgres: () => startDatabase(home, settings),
    keyholder: () => startKeyholder(home, { logLevel }),
    desk: () => startDesk(home, { logLevel }),
    bureau: () => startBureau(home, settings, { logLevel }),
  };
  const stops: (() => Promise<void>)[] = [];
  if (app === "all") {
    if (settings.ports.tap !== undefined) {
      stops.push((await startTap({ port: publicPort(settings), target: settings.ports.desk, file: home.wire })).stop);
    }
    const running = await startAll(home, settings, logLevel);
    stops.unshift(() => stopAll(running));
  } else {
    if (app === "checker") {
      throw new CliError(
        "not-built",
        "tipstaff serve checker is not built yet.",
        "ARCHITECTURE.md says which rooms are.",
      );
    }
    const start = single[app];
    if (!start)
      throw new CliError(
        "bad-input",
        `There is no app ${JSON.stringify(app)}.`,
        "desk, keyholder, bureau, postgres or all",
      );
    stops.push((await start()).stop);
  }
  context.answer({ ready: true, desk: settings.ports.desk, bureau: settings.ports.bureau, home: home.root });
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  for (const stop of stops) await stop();
}
