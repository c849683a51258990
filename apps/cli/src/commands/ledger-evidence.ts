import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type EvidenceVerdict,
  LedgerError,
  type Opening,
  parseShownOpenings,
  parseVerifierKey,
  verifyEvidence,
} from "@tipstaff/ledger";
import { CliError } from "../cli-error.ts";

/** Names of the files of an evidence bundle. */
export const EVIDENCE_FILES = {
  proof: "entry.tlog-proof",
  openings: "openings.json",
  readme: "README.txt",
} as const;

/** Whether the path is a proof file, or a folder that holds one. */
export function isEvidence(path: string): boolean {
  return path.endsWith(".tlog-proof") || existsSync(join(path, EVIDENCE_FILES.proof));
}

/** A proof that holds, with the fields that were shown; or why it does not. */
export type VerifiedEvidence =
  | {
      readonly verified: true;
      readonly origin: string;
      readonly index: string;
      readonly size: string;
      readonly shown: Readonly<Record<string, string>>;
      readonly witnessed: false;
    }
  | { readonly verified: false; readonly reason: string; readonly message: string };

const REASONS: Readonly<Record<Extract<EvidenceVerdict, { ok: false }>["reason"], string>> = {
  "no-known-signature": "The checkpoint is not signed by the key that you gave.",
  "key-id-mismatch": "The checkpoint is signed by a key of the same name, but not by the one that you gave.",
  "bad-signature": "The signature is false: the checkpoint was changed, or was never signed.",
  "other-origin": "The checkpoint belongs to another log.",
  "no-entry": "The proof does not hold its entry, so that there is nothing to prove.",
  "other-entry": "The entry given is not the one in the proof.",
  "not-included": "The entry does not stand at that place in the log.",
  "no-leaf": "The entry is not of the form that fields can be held against.",
  "opening-differs": "A field that is shown is not what the entry committed to",
};

/** Verifies a proof file, or the folder of an evidence bundle, with nothing but the log's verifier key. */
export function verifyEvidenceAt(path: string, verifierKey: string): VerifiedEvidence {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const proofFile = isFolder ? join(path, EVIDENCE_FILES.proof) : path;
  if (!existsSync(proofFile)) {
    throw new CliError("bad-input", `There is no file ${proofFile}.`, "Name a .tlog-proof file or an evidence folder.");
  }
  const openingsFile = join(dirname(proofFile), EVIDENCE_FILES.openings);
  const beside = isFolder || proofFile.endsWith(`/${EVIDENCE_FILES.proof}`);
  try {
    const openings = beside && existsSync(openingsFile) ? parseShownOpenings(readFileSync(openingsFile, "utf8")) : [];
    const verifierKeys = [parseVerifierKey(verifierKey)];
    return toResult(verifyEvidence({ proof: readFileSync(proofFile), verifierKeys, openings }), openings);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (error.code === "verifier-key-malformed") throw new CliError("bad-input", error.message, "Copy the key whole.");
    return { verified: false, reason: error.code, message: error.message };
  }
}

function toResult(verdict: EvidenceVerdict, openings: readonly Opening[]): VerifiedEvidence {
  if (!verdict.ok) {
    const { reason, field } = verdict;
    return { verified: false, reason, message: field ? `${REASONS[reason]}: ${field}.` : REASONS[reason] };
  }
  const shown = Object.fromEntries(openings.map(({ field, value }) => [field, value]));
  const { origin, index, size } = verdict;
  return { verified: true, origin, index: String(index), size: String(size), shown, witnessed: false };
}

export function evidenceWords(result: VerifiedEvidence): string {
  if (!result.verified) return `DOES NOT VERIFY (${result.reason}): ${result.message}`;
  const { origin, index, size, shown } = result;
  const rows = Object.entries(shown).map(([field, value]) => `  ${field}: ${value}`);
  const head = `${origin}: entry ${index} stands in the log of ${size} entries (unwitnessed).`;
  return rows.length === 0 ? head : [head, "Fields shown, each as the entry committed to it:", ...rows].join("\n");
}
