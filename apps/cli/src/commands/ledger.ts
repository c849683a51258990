import { type LogFault, parseVerifierKey, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { createProgress } from "../progress.ts";
import { contextOf } from "./context.ts";
import { evidenceWords, isEvidence, verifyEvidenceAt } from "./ledger-evidence.ts";
import { registerLedgerFsck } from "./ledger-fsck.ts";
import { openLog } from "./ledger-place.ts";
import { registerLedgerProve } from "./ledger-prove.ts";
import { registerLedgerRebuild } from "./ledger-rebuild.ts";

const UNBUILT = {
  witness: "a witness server",
} as const;

/** A log verified, or the first thing in it that does not fit. */
export type VerifiedLedger =
  | { readonly verified: true; readonly size: number; readonly origin: string; readonly witnessed: false }
  | { readonly verified: false; readonly size: number; readonly fault: LogFault };

/** Verifies a log, in a folder or over HTTP, with nothing but the verifier key. */
export async function verifyLedger(options: {
  place: string;
  verifierKey: string;
  openings?: string;
  onProgress?: (done: number, of: number) => void;
}): Promise<VerifiedLedger> {
  let size = 0;
  const verdict = await verifyLog({
    tiles: openLog(options.place),
    verifierKeys: [parseVerifierKey(options.verifierKey)],
    ...(options.openings ? { openings: createFolderStorage(options.openings) } : {}),
    onProgress: ({ entries, of }) => {
      size = entries;
      options.onProgress?.(entries, of);
    },
  });
  if (!verdict.ok) return { verified: false, size, fault: verdict.fault };
  return { verified: true, size: verdict.size, origin: verdict.origin, witnessed: false };
}

export function registerLedger(program: Command): void {
  const ledger = program.command("ledger").description("the transparency log");
  ledger
    .command("verify [path]")
    .description("verify a log (folder or URL), one proof file or an evidence folder; exit 1 and what does not fit")
    .option("--key, --verifier-key <key>", "the log's key; the installation's own when left out")
    .option("--openings <folder>", "also hold the sealed openings against the leaves")
    .action(
      async (path: string | undefined, options: { verifierKey?: string; openings?: string }, command: Command) => {
        const context = contextOf(command);
        const verifierKey = options.verifierKey ?? context.settings().logVerifierKey;
        if (path !== undefined && isEvidence(path)) {
          const evidence = verifyEvidenceAt(path, verifierKey);
          context.answer(evidence, evidenceWords(evidence));
          if (!evidence.verified) process.exitCode = 1;
          return;
        }
        const place = path ?? context.home.tiles;
        const result = await createProgress(process.stderr).step("Verifying", (onProgress) =>
          verifyLedger({ ...options, place, verifierKey, onProgress }),
        );
        context.answer(result, result.verified ? verifiedWords(result) : faultWords(result.fault));
        if (!result.verified) process.exitCode = 1;
      },
    );
  registerLedgerProve(ledger);
  registerLedgerFsck(ledger);
  registerLedgerRebuild(ledger);
  for (const [name, purpose] of Object.entries(UNBUILT)) {
    ledger
      .command(name)
      .description(`${purpose} (not built yet)`)
      .argument("[arguments...]")
      .allowUnknownOption()
      .action(() => {
        throw new CliError("not-built", `tipstaff ledger ${name} is not built yet.`, "ledger verify is.");
      });
  }
}

function verifiedWords({ size, origin }: { size: number; origin: string }): string {
  return `${origin}: ${size} entries verify against the signed checkpoint (unwitnessed).`;
}

function faultWords({ kind, path, index, bytes, message }: LogFault): string {
  const where = [path, index === undefined ? "" : `entry ${index}`, bytes ? `bytes ${bytes.from}–${bytes.to}` : ""];
  return `DOES NOT VERIFY (${kind}): ${where.filter(Boolean).join(", ")}: ${message}`;
}
