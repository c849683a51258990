import { LedgerError, parseVerifierKey } from "@tipstaff/ledger";
import { migrateLedger, rebuildDatabase, rebuildFolder } from "@tipstaff/ledger/postgres";
import { type CheckpointSigner, createCheckpointSigner, createKeyholderClient } from "@tipstaff/release-protocol/node";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { createProgress } from "../progress.ts";
import { type Context, contextOf } from "./context.ts";
import { withLedger } from "./ledger-database.ts";

/** What was rebuilt, and how many entries it had before (`database`) and has now. */
export type RebuiltLedger =
  | { readonly rebuilt: "database"; readonly from: number; readonly size: number }
  | { readonly rebuilt: "folder"; readonly size: number };

export function registerLedgerRebuild(ledger: Command): void {
  ledger
    .command("rebuild")
    .description(
      "after a restore, with the desk stopped: the database's ledger from the folder, or the folder from the database",
    )
    .option(
      "--from-folder",
      "entries, operation ids and head of the database; the keyholder must run; the desk then holds every recipient and rebuilds the release state",
    )
    .option("--from-database", "tiles, bundles, openings; the keyholder must run, it signs the checkpoint again")
    .action(async (options: { fromFolder?: boolean; fromDatabase?: boolean }, command: Command) => {
      if (options.fromFolder === options.fromDatabase) {
        const words = "ledger rebuild takes one of --from-folder and --from-database.";
        throw new CliError("bad-input", words, "Run tipstaff ledger fsck: it says which of the two is behind.");
      }
      const context = contextOf(command);
      const done = await orHalted(() => (options.fromFolder ? fromFolder(context) : fromDatabase(context)));
      context.answer(done, rebuiltWords(done));
    });
}

const steps = () => createProgress(process.stderr);

async function fromFolder(context: Context): Promise<RebuiltLedger> {
  return withSigner(context, ({ lastSigned }) =>
    withLedger(context, ({ logVerifierKey, ...log }) =>
      steps().step("Rebuilding the database's ledger", async (report) => {
        await migrateLedger(log.pool);
        const done = await rebuildDatabase({
          ...log,
          verifierKeys: [parseVerifierKey(logVerifierKey)],
          lastSigned,
          onProgress: ({ entries, of }) => report(entries, of),
        });
        return { rebuilt: "database" as const, ...done };
      }),
    ),
  );
}

async function fromDatabase(context: Context): Promise<RebuiltLedger> {
  return withSigner(context, (signer) =>
    withLedger(context, ({ logVerifierKey, ...log }) =>
      steps().step("Rebuilding the folder", async (report) => {
        await migrateLedger(log.pool);
        const { size } = await rebuildFolder({
          ...log,
          verifierKeys: [parseVerifierKey(logVerifierKey)],
          ...signer,
          onProgress: ({ entries, of }) => report(entries, of),
        });
        return { rebuilt: "folder" as const, size };
      }),
    ),
  );
}

async function withSigner<T>({ home }: Context, work: (signer: CheckpointSigner) => Promise<T>): Promise<T> {
  const keyholder = createKeyholderClient({ socketPath: home.keyholderSocket });
  try {
    return await work(createCheckpointSigner(keyholder, (words) => new LedgerError("signature-refused", words)));
  } finally {
    keyholder.close();
  }
}

async function orHalted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new CliError("failed", `${error.message}.`, "Nothing was overwritten; see docs/operate/restore.md.");
  }
}

function rebuiltWords(done: RebuiltLedger): string {
  if (done.rebuilt === "folder") return `The folder holds ${done.size} entries again. Run tipstaff ledger fsck.`;
  const { from, size } = done;
  if (from === size) return `The database had all ${size} entries of the folder.`;
  const words = `The database had ${from} entries and has ${size} again: ${size - from} came back from the folder.`;
  return `${words}\nAt its next start the desk holds every recipient and rebuilds the release state: tipstaff ledger restored, and docs/operate/restore.md.`;
}
