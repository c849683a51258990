import { Command, InvalidArgumentError } from "commander";
import { BureauError } from "./bureau-error.ts";
import { initBureau } from "./installation/init.ts";
import { pin } from "./installation/pins.ts";
import { signAgreement } from "./installation/sign-agreement.ts";
import { serve } from "./serve.ts";

const CANNOT_RUN = 2;

// Whatever this process makes is its own user's alone.
process.umask(0o077);

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number is required");
  return Number(text);
}

const answer = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

const program = new Command("bureau").exitOverride();

program
  .command("init")
  .description("make keys and store; answers the public keys")
  .requiredOption("--folder <dir>")
  .requiredOption("--recipient <id>")
  .requiredOption("--printer <dir>")
  .option("--lines <n>", "printing lines", wholeNumber, 4)
  .action((options: { folder: string; recipient: string; printer: string; lines: number }) =>
    answer(initBureau(options)),
  );

program
  .command("sign-agreement <file>")
  .description("print the bureau's signature line over an agreement")
  .requiredOption("--folder <dir>")
  .action((file: string, options: { folder: string }) => {
    process.stdout.write(signAgreement({ folder: options.folder, file }));
  });

program
  .command("pin")
  .description("say whom this bureau trusts, and under which agreement (FILE, and FILE.sig by both parties)")
  .requiredOption("--folder <dir>")
  .requiredOption("--force-verifier-key <key>")
  .requiredOption("--log-verifier-key <key>")
  .requiredOption("--desk-url <url>")
  .requiredOption("--reply-key-id <id>")
  .requiredOption("--reply-public-key <base64>")
  .requiredOption("--agreement <file>")
  .option("--replace", "let other keys take the place of those pinned before")
  .action((options: Parameters<typeof pin>[0]) => answer({ ok: true, ...pin(options) }));

program
  .command("serve")
  .description("run the bureau, on loopback")
  .requiredOption("--folder <dir>")
  .option("--port <n>", "0 for any that is free", wholeNumber, 0)
  .option("--log-level <level>", "trace, debug, info, warn, error or silent", "info")
  .action((options: { folder: string; port: number; logLevel: string }) => serve(options));

try {
  await program.parseAsync();
} catch (error) {
  const isHelp = error instanceof Error && "code" in error && error.code === "commander.helpDisplayed";
  if (!isHelp) {
    const isTold = error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
    // A file's path and the system's words are all that other errors hold; a stack would only hide them.
    if (!isTold)
      process.stderr.write(
        `bureau: ${error instanceof BureauError || error instanceof Error ? error.message : "failed"}\n`,
      );
    process.exitCode = CANNOT_RUN;
  }
}
