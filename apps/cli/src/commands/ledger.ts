import { tmpdir } from "node:os";
import { LedgerError, type LogFault, type LogKey, type Policy, parseLogKey, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage, createScratch } from "@tipstaff/ledger/folder";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { createProgress } from "../progress.ts";
import { contextOf } from "./context.ts";
import { registerLedgerCensus } from "./ledger-census.ts";
import { registerLedgerComplete } from "./ledger-complete.ts";
import { evidenceWords, isEvidence, verifyEvidenceAt } from "./ledger-evidence.ts";
import { registerLedgerFsck } from "./ledger-fsck.ts";
import { registerLedgerKey } from "./ledger-key.ts";
import { openLog } from "./ledger-place.ts";
import { judgeNote, readPolicy, type Witnessing, witnessedBy, witnessWords } from "./ledger-policy.ts";
import { registerLedgerProve } from "./ledger-prove.ts";
import { registerLedgerRebuild } from "./ledger-rebuild.ts";
import { registerLedgerRestored } from "./ledger-restored.ts";
import { registerLedgerWitness } from "./ledger-witness.ts";

/**
 * A log verified; or the first thing in it that does not fit (`fault`); or one whose every entry and tile fits, under a
 * checkpoint that the policy does not believe: `verified` is false there too, and `treeVerified` alone is true.
 */
export type VerifiedLedger =
  | WholeLedger
  | { readonly verified: false; readonly treeVerified: false; readonly size: number; readonly fault: LogFault };
type WholeLedger = {
  readonly verified: boolean;
  readonly treeVerified: true;
  readonly size: number;
  readonly origin: string;
  /** Every operation was held against every other. */
  readonly operationsChecked: boolean;
} & (Witnessing | { readonly witnessed: false });

/** Verifies a log, in a folder or over HTTP, with nothing but the verifier key, and the same checkpoint by a policy. */
export async function verifyLedger(options: {
  place: string;
  verifierKey: string | readonly LogKey[];
  policy?: Policy;
  openings?: string;
  onProgress?: (done: number, of: number) => void;
}): Promise<VerifiedLedger> {
  let size = 0;
  const { verifierKey: given, policy } = options;
  const verifierKeys = typeof given === "string" ? [parseLogKey(given)] : given;
  const scratch = createScratch(tmpdir());
  const verdict = await verifyLog({
    tiles: openLog(options.place),
    verifierKeys,
    scratch,
    ...(options.openings ? { openings: createFolderStorage(options.openings) } : {}),
    onProgress: ({ entries, of }) => {
      size = entries;
      options.onProgress?.(entries, of);
    },
  }).finally(scratch.close);
  if (!verdict.ok) return { verified: false, treeVerified: false, size, fault: verdict.fault };
  const witnessing = policy ? judgeNote(verdict.note, policy, verifierKeys) : ({ witnessed: false } as const);
  const verified = !("policy" in witnessing) || witnessing.policy === "fulfilled";
  const { origin, operationsChecked } = verdict;
  return { verified, treeVerified: true, size: verdict.size, origin, operationsChecked, ...witnessing };
}

type VerifyOptions = { verifierKey?: string; openings?: string; policy?: string };
type By = { openings?: string; verifierKey: readonly LogKey[]; policy?: Policy };

/** The key given, those of the logs that the policy names, or the installation's own. */
function keysOf(given: string | undefined, policy: Policy | undefined, own: () => string): readonly LogKey[] {
  if (given === undefined && policy && policy.logs.length > 0) return policy.logs.map(({ key }) => key);
  try {
    return [parseLogKey(given ?? own())];
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new CliError("bad-input", error.message, "Copy the key whole.");
  }
}

async function verifyPlace(place: string, { policy, ...options }: By) {
  const by = policy ? { policy } : {};
  if (isEvidence(place)) {
    const evidence = verifyEvidenceAt(place, { verifierKeys: options.verifierKey, ...by });
    return { result: evidence, words: evidenceWords(evidence) };
  }
  const result = await createProgress(process.stderr).step("Verifying", (onProgress) =>
    verifyLedger({ ...options, ...by, place, onProgress }),
  );
  return { result, words: result.treeVerified ? verifiedWords(result) : faultWords(result.fault) };
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
      const policy = options.policy === undefined ? undefined : readPolicy(options.policy);
      const verifierKey = keysOf(options.verifierKey, policy, () => context.settings().logVerifierKey);
      const { openings } = options;
      const { result, words } = await verifyPlace(path ?? context.home.tiles, {
        verifierKey,
        ...(openings === undefined ? {} : { openings }),
        ...(policy ? { policy } : {}),
      });
      context.answer(result, words);
      if (!result.verified) process.exitCode = 1;
    });
  registerLedgerKey(ledger);
  registerLedgerProve(ledger);
  registerLedgerWitness(ledger);
  registerLedgerCensus(ledger);
  registerLedgerComplete(ledger);
  registerLedgerFsck(ledger);
  registerLedgerRebuild(ledger);
  registerLedgerRestored(ledger);
}

function verifiedWords(result: WholeLedger): string {
  const witnessing = "policy" in result ? result : undefined;
  if (witnessing && !result.verified) {
    const head = `DOES NOT VERIFY (${witnessing.policy}): the policy does not believe the checkpoint of ${result.origin}.`;
    const whole = `Its ${result.size} entries and their tiles themselves fit that checkpoint.`;
    return [head, whole, witnessWords(witnessing)].join("\n");
  }
  const head = `${result.origin}: ${result.size} entries verify against the signed checkpoint (${witnessedBy(witnessing)}).`;
  return [head, ...(witnessing ? [witnessWords(witnessing)] : [])].join("\n");
}

function faultWords({ kind, path, index, bytes, message }: LogFault): string {
  const where = [path, index === undefined ? "" : `entry ${index}`, bytes ? `bytes ${bytes.from}–${bytes.to}` : ""];
  return `DOES NOT VERIFY (${kind}): ${where.filter(Boolean).join(", ")}: ${message}`;
}
