import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { SealingError } from "@tipstaff/sealing";
import { Command, InvalidArgumentError } from "commander";
import { type Logger, pino } from "pino";
import { initKeyholder } from "./init.ts";
import { serveKeyholder } from "./serve.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];
const DEFAULT_DAILY_OPENINGS = 500;
/** Some five imports of a force of 50,000, with photos. */
const DEFAULT_DAILY_INDEXES = 1_000_000;
const COULD_NOT_RUN = 2;

// Whatever this process makes, files and sockets, is its own user's alone.
process.umask(0o077);

const program = new Command("keyholder").description("the force's keys, behind a few narrow questions");

program
  .command("init")
  .description("make a new keyholder: key file, store, secrets; refuses an existing one")
  .requiredOption("--folder <dir>", "where key file and store lie")
  .requiredOption("--force <id>", "id of the force", parseForce)
  .requiredOption("--origin <name>", "the log's origin and its key's name, as police.example/log", parseOrigin)
  .option("--passphrase-file <file>", "put the key file under the passphrase in this file's first line")
  .option("--not-in <dir>", "a data or backup folder, in which the key file may not lie", collect, [])
  .action(async (options: InitArguments) => {
    const { folder, force, origin, passphraseFile, notIn } = options;
    const forbiddenFolders = notIn.map((path) => resolve(path));
    const passphrase = readPassphrase(passphraseFile);
    const keys = await initKeyholder({ folder, force, origin, passphrase, forbiddenFolders, now: new Date() });
    process.stdout.write(`${JSON.stringify(keys)}\n`);
  });

program
  .command("serve")
  .description("answer the desk on one socket and the console on another")
  .requiredOption("--folder <dir>", "where key file and store lie")
  .requiredOption("--socket <path>", "socket for the desk")
  .requiredOption("--console-socket <path>", "socket for the console")
  .option("--desk-in-group", "let users of this process's group connect to the desk's socket, and to no other")
  .option("--passphrase-file <file>", "file whose first line is the key file's passphrase")
  .option("--budget <n>", "DEKs that may be opened in one day", parseCount, DEFAULT_DAILY_OPENINGS)
  .option(
    "--index-budget <n>",
    "numbers and rows that imports may have indexed in one day",
    parseCount,
    DEFAULT_DAILY_INDEXES,
  )
  .option("--log-level <level>", LOG_LEVELS.join(", "), parseLogLevel, "info")
  .action(async (options: ServeArguments) => {
    const log = pino({ level: options.logLevel, base: { app: "keyholder" } }, pino.destination({ fd: 2, sync: true }));
    const { folder, socket, consoleSocket, budget, indexBudget } = options;
    const passphrase = readPassphrase(options.passphraseFile);
    const budgets = { dailyOpenings: budget, dailyIndexes: indexBudget };
    const isDeskInGroup = options.deskInGroup === true;
    const given = { folder, socket, consoleSocket, isDeskInGroup, passphrase, ...budgets, log };
    const { stop } = await serveKeyholder({ ...given, now: () => new Date() });
    endOnSignal(stop, log);
    process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
    log.info("ready");
  });

type InitArguments = { folder: string; force: string; origin: string; passphraseFile?: string; notIn: string[] };

type ServeArguments = {
  folder: string;
  socket: string;
  consoleSocket: string;
  passphraseFile?: string;
  budget: number;
  indexBudget: number;
  deskInGroup?: boolean;
  logLevel: string;
};

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function parseForce(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError("1 to 64 letters, digits, dots, hyphens, underscores.");
}

function parseOrigin(text: string): string {
  if (/^[!-*,-~]{1,255}$/.test(text)) return text;
  throw new InvalidArgumentError("1 to 255 printable characters, no space and no plus sign.");
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A whole number.");
}

function parseLogLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new InvalidArgumentError(`One of ${LOG_LEVELS.join(", ")}.`);
}

function readPassphrase(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const [line = ""] = readFileSync(file, "utf8").split(/\r?\n/);
  if (line === "") throw new Error("the passphrase file's first line is empty");
  return line;
}

function endOnSignal(stop: () => Promise<void>, log: Logger): void {
  const end = (signal: NodeJS.Signals) => {
    log.info({ signal }, "ending");
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "could not end in order");
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}

try {
  await program.parseAsync();
} catch (error) {
  const code = error instanceof SealingError ? ` (${error.code})` : "";
  process.stderr.write(`keyholder: ${error instanceof Error ? error.message : "failed"}${code}\n`);
  process.exitCode = COULD_NOT_RUN;
}
