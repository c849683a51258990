import { createKeyholderClient } from "@tipstaff/release-protocol/node";
import { Command, CommanderError } from "commander";
import { createLogger, createPool } from "./compose.ts";
import { readConfig } from "./config.ts";
import { initDesk, parseStaff, type StaffAccount } from "./init.ts";
import { serveDesk } from "./serve.ts";

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
    .action(async ({ config: file }: { config: string }) => {
      const ended = new Promise<void>((resolve) => {
        process.once("SIGTERM", resolve);
        process.once("SIGINT", resolve);
      });
      const { port, stop } = await serveDesk(readConfig(file));
      print({ ready: true, port });
      await ended;
      await stop();
    });
  return program;
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
