import { createKeyholderClient } from "@tipstaff/release-protocol/node";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { createLogger, createPool } from "./compose.ts";
import { readConfig } from "./config.ts";
import { initDesk, parseStaff, type StaffAccount } from "./init.ts";
import { type ImportArguments, runImport } from "./run-import.ts";
import { serveDesk } from "./serve.ts";

// Whatever this process makes is its own user's alone.
process.umask(0o077);

const CONFIG = ["--config <file>", "the desk's configuration (JSON)"] as const;

function createProgram(): Command {
  const program = new Command("desk").description("The force's service.").exitOverride();
  program
    .command("init")
    .description("make a new desk: schema, log, staff, reply key")
    .requiredOption(...CONFIG)
    .option(
      "--staff <login:roles>",
      "an account; its token is printed once",
      (text, all: StaffAccount[]) => [...all, parseStaff(text)],
      [],
    )
    .action(async ({ config: file, staff }: { config: string; staff: StaffAccount[] }) => {
      const config = readConfig(file);
      const pool = createPool(config, createLogger(config));
      const keyholder = createKeyholderClient({ socketPath: config.keyholderSocket });
      try {
        print(await initDesk({ pool, keyholder, config }, staff));
      } finally {
        keyholder.close();
        await pool.end();
      }
    });
  program
    .command("serve")
    .description("run until SIGTERM; prints one line of JSON when ready")
    .requiredOption(...CONFIG)
    .option("--log-level <level>", "instead of the configuration's")
    .action(async ({ config: file, logLevel }: { config: string; logLevel?: string }) => {
      const ended = new Promise<void>((resolve) => {
        process.once("SIGTERM", resolve);
        process.once("SIGINT", resolve);
      });
      const { port, stop } = await serveDesk(readConfig(file, logLevel === undefined ? {} : { logLevel }));
      print({ ready: true, port });
      await ended;
      await stop();
    });
  program
    .command("import <file>")
    .description("import an HR extract (CSV or XLSX) into the register")
    .requiredOption(...CONFIG)
    .option("--photos <path>", "folder or ZIP archive of portraits, named by number")
    .option("--mapping <file>", "which column is what; without it headers are recognised")
    .option("--dry-run", "show the mapping and what would change; change nothing")
    .option("--max-leavers <share>", "stop when more than this share of people would leave (0 to 1)", toShare)
    .option("--allow-leavers", "go on although many would leave")
    .option("--max-errors <n>", "report at most so many errors", toCount)
    .option("--errors <file>", "where all errors go")
    .option("--token-file <file>", "whose import it is: a file with that person's token")
    .option("--json", "one JSON object on stdout")
    .action(async (file: string, options: ImportArguments) => {
      process.exitCode = await runImport(file, options);
    });
  return program;
}

function toShare(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError("a share from 0 to 1, such as 0.1");
}

function toCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number");
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
    process.stderr.write(`desk: ${error.message || error.name}${code}\n`);
    process.exitCode = 2;
  }
}
