import { type LogFault, parseVerifierKey, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import type { Command } from "commander";
import { createProgress } from "../progress.ts";
import { contextOf } from "./context.ts";
import { registerLedgerCensus } from "./ledger-census.ts";
import { registerLedgerComplete } from "./ledger-complete.ts";
import { evidenceWords, isEvidence, verifyEvidenceAt } from "./ledger-evidence.ts";
import { registerLedgerFsck } from "./ledger-fsck.ts";
import { openLog } from "./ledger-place.ts";
import { judgeWitnesses, witnessWords } from "./ledger-policy.ts";
import { registerLedgerProve } from "./ledger-prove.ts";
import { registerLedgerRebuild } from "./ledger-rebuild.ts";
import { registerLedgerRestored } from "./ledger-restored.ts";
import { registerLedgerWitness } from "./ledger-witness.ts";

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

type VerifyOptions = { verifierKey?: string; openings?: string; policy?: string };

async function verifyPlace(place: string, options: VerifyOptions & { verifierKey: string }) {
  if (isEvidence(place)) {
    const evidence = verifyEvidenceAt(place, options.verifierKey);
    return { result: evidence, words: evidenceWords(evidence) };
  }
  const result = await createProgress(process.stderr).step("Verifying", (onProgress) =>
    verifyLedger({ ...options, place, onProgress }),
  );
  return { result, words: result.verified ? verifiedWords(result) : faultWords(result.fault) };
}

export function registerLedger(program: Command): void {
  const ledger = program.command("ledger").description("the transparency log");
  ledger
    .command("verify [path]")
    .description("verify a log (folder or URL), one proof file or an evidence folder; exit 1 and what does not fit")
    .option("--key, --verifier-key <key>", "the log's key; the installation's own when left out")
    .option("--policy <file>", "also say which witnesses cosigned; exit 1 unless its quorum did")
    .option("--openings <folder>", "also hold the sealed openings against the leaves")
    .action(async (path: string | undefined, options: VerifyOptions, command: Command) => {
      const context = contextOf(command);
      const verifierKey = options.verifierKey ?? context.settings().logVerifierKey;
      const place = path ?? context.home.tiles;
      const { result, words } = await verifyPlace(place, { ...options, verifierKey });
      const { policy } = options;
      const witnessing = policy && result.verified ? await judgeWitnesses(place, policy, verifierKey) : undefined;
      context.answer({ ...result, ...witnessing }, witnessing ? `${words}\n${witnessWords(witnessing)}` : words);
      if (!result.verified || (witnessing && witnessing.policy !== "fulfilled")) process.exitCode = 1;
    });
  registerLedgerProve(ledger);
  registerLedgerWitness(ledger);
  registerLedgerCensus(ledger);
  registerLedgerComplete(ledger);
  registerLedgerFsck(ledger);
  registerLedgerRebuild(ledger);
  registerLedgerRestored(ledger);
}

function verifiedWords({ size, origin }: { size: number; origin: string }): string {
  return `${origin}: ${size} entries verify against the signed checkpoint (unwitnessed).`;
}

function faultWords({ kind, path, index, bytes, message }: LogFault): string {
  const where = [path, index === undefined ? "" : `entry ${index}`, bytes ? `bytes ${bytes.from}–${bytes.to}` : ""];
  return `DOES NOT VERIFY (${kind}): ${where.filter(Boolean).join(", ")}: ${message}`;
}
