import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type EvidenceVerdict,
  LedgerError,
  type LogKey,
  type Opening,
  type Policy,
  parseShownOpenings,
  verifyEvidence,
} from "@tipstaff/ledger";
import { CliError } from "../cli-error.ts";
import { toWitnessing, type Witnessing, witnessedBy, witnessWords } from "./ledger-policy.ts";
import { readWhole } from "./read-whole.ts";

const MAX_PROOF_BYTES = 2_097_152;
const MAX_OPENINGS_BYTES = 1_048_576;

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
  | ({
      readonly verified: true;
      readonly origin: string;
      readonly index: string;
      readonly size: string;
      readonly shown: Readonly<Record<string, string>>;
    } & (Witnessing | { readonly witnessed: false }))
  | {
      readonly verified: false;
      readonly reason: string;
      readonly message: string;
      /** Who cosigned, where only the quorum is missing. */
      readonly witnesses?: Witnessing["witnesses"];
    };

const REASONS: Readonly<Record<Extract<EvidenceVerdict, { ok: false }>["reason"], string>> = {
  "no-known-signature": "The checkpoint is not signed by the key that you gave.",
  "key-id-mismatch": "The checkpoint is signed by a key of the same name, but not by the one that you gave.",
  "bad-signature": "The signature is false: the checkpoint was changed, or was never signed.",
  "other-origin": "The checkpoint belongs to another log.",
  "unknown-log": "The policy names no such log, and no key was given for it.",
  "unsupported-algorithm": "The checkpoint is signed by an algorithm that this platform lacks.",
  "quorum-missing": "Too few of the policy's witnesses cosigned the checkpoint",
  "no-entry": "The proof does not hold its entry, so that there is nothing to prove.",
  "other-entry": "The entry given is not the one in the proof.",
  "not-included": "The entry does not stand at that place in the log.",
  "no-leaf": "The entry is not of the form that fields can be held against.",
  "opening-differs": "A field that is shown is not what the entry committed to",
};

/** Verifies a proof file, or the folder of an evidence bundle, with nothing but the log's verifier key, or a policy. */
export function verifyEvidenceAt(
  path: string,
  by: { verifierKeys: readonly LogKey[]; policy?: Policy },
): VerifiedEvidence {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const proofFile = isFolder ? join(path, EVIDENCE_FILES.proof) : path;
  if (!existsSync(proofFile)) {
    throw new CliError("bad-input", `There is no file ${proofFile}.`, "Name a .tlog-proof file or an evidence folder.");
  }
  const openingsFile = join(dirname(proofFile), EVIDENCE_FILES.openings);
  const beside = isFolder || proofFile.endsWith(`/${EVIDENCE_FILES.proof}`);
  try {
    const openings = beside && existsSync(openingsFile) ? readOpeningsFile(openingsFile) : [];
    const verdict = verifyEvidence({ ...by, proof: readWhole(proofFile, MAX_PROOF_BYTES), openings });
    return toResult(verdict, { openings, hasPolicy: by.policy !== undefined });
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return { verified: false, reason: error.code, message: error.message };
  }
}

function readOpeningsFile(file: string): readonly Opening[] {
  return parseShownOpenings(Buffer.from(readWhole(file, MAX_OPENINGS_BYTES)).toString("utf8"));
}

function toResult(
  verdict: EvidenceVerdict,
  { openings, hasPolicy }: { openings: readonly Opening[]; hasPolicy: boolean },
): VerifiedEvidence {
  if (!verdict.ok) {
    const { reason, field, witnesses } = verdict;
    if (witnesses !== undefined) {
      const named = toWitnessing(reason, witnesses).witnesses;
      const names = named.map(({ name, at }) => `${name} at ${at}`).join(", ");
      return { verified: false, reason, message: `${REASONS[reason]}: ${names || "none"}.`, witnesses: named };
    }
    return { verified: false, reason, message: field ? `${REASONS[reason]}: ${field}.` : REASONS[reason] };
  }
  const shown = Object.fromEntries(openings.map(({ field, value }) => [field, value]));
  const { origin, index, size } = verdict;
  const witnessing = hasPolicy ? toWitnessing("fulfilled", verdict.witnesses) : ({ witnessed: false } as const);
  return { verified: true, origin, index: String(index), size: String(size), shown, ...witnessing };
}

export function evidenceWords(result: VerifiedEvidence): string {
  if (!result.verified) return `DOES NOT VERIFY (${result.reason}): ${result.message}`;
  const { origin, index, size, shown } = result;
  const rows = Object.entries(shown).map(([field, value]) => `  ${field}: ${value}`);
  const witnessing = "policy" in result ? result : undefined;
  const head = `${origin}: entry ${index} stands in the log of ${size} entries (${witnessedBy(witnessing)}).`;
  const fields = rows.length === 0 ? [] : ["Fields shown, each as the entry committed to it:", ...rows];
  return [head, ...fields, ...(witnessing ? [witnessWords(witnessing)] : [])].join("\n");
}
