import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { LedgerError, parseLogKey } from "@tipstaff/ledger";
import {
  createWitnessServer,
  createWitnessStore,
  hasWitnessStore,
  openWitness,
  serveWitness,
  type Witness,
} from "@tipstaff/ledger/witness";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";

type Options = { dir: string; log: string[]; name?: string; listen: string; host: string; mlDsa?: boolean };

export function registerLedgerWitness(ledger: Command): void {
  ledger
    .command("witness")
    .description("cosign the checkpoints of the logs named, over HTTP; prints its verifier key")
    .requiredOption("--dir <dir>", "where its key and what it cosigned lie")
    .option("--log <key>", "verifier key of a log; again for each (none: nobody is cosigned)", collect, [])
    .option("--name <name>", "of a new witness; without it, DIR must hold one")
    .option("--listen <port>", "0 takes a free one", "0")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--ml-dsa", "a new witness signs by ML-DSA-44")
    .action(async (options: Options) => serve(options));
}

const collect = (value: string, before: string[]): string[] => [...before, value];

async function serve(options: Options): Promise<void> {
  const wanted = toPort(options.listen);
  const witness = openOrMake(options);
  const onError = (error: unknown) =>
    process.stderr.write(`witness: ${error instanceof Error ? error.name : "fault"}\n`);
  const server = createWitnessServer(serveWitness(witness, { onError }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", () => reject(new CliError("not-running", "That port cannot be had.", "Take another one.")));
    server.listen(wanted, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const { name, verifierKey } = witness;
  process.stdout.write(
    `${JSON.stringify({ ready: true, name, verifierKey, url: `http://${options.host}:${port}` })}\n`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  server.close();
  server.closeAllConnections();
  witness.close();
}

/** A new witness is made only where somebody names it and nothing is there: a key that forgot is worse than none. */
function openOrMake({ dir, log, name, mlDsa }: Options): Witness {
  try {
    if (!hasWitnessStore(dir)) {
      const isEmpty = !existsSync(dir) || readdirSync(dir).length === 0;
      if (name === undefined || !isEmpty) {
        throw new CliError(
          "refused",
          `There is no witness in ${dir}.`,
          "Restore it, or name a new one and an empty --dir.",
        );
      }
      createWitnessStore(dir, { name, seed: randomBytes(32), algorithm: mlDsa ? "ml-dsa-44" : "ed25519" });
    }
    const keys = log.map(parseLogKey);
    const origins = [...new Set(keys.map((key) => key.name))];
    const logs = origins.map((origin) => ({ origin, keys: keys.filter((key) => key.name === origin) }));
    const witness = openWitness({ folder: dir, logs });
    if (name === undefined || name === witness.name) return witness;
    witness.close();
    throw new CliError(
      "refused",
      `The witness in ${dir} has another name.`,
      "Leave --name out, or name another --dir.",
    );
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new CliError("refused", error.message, "Look at --dir, --name and --log.");
  }
}

function toPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new CliError("bad-input", `${text} is no port.`, "A number from 0 to 65535.");
  return port;
}
