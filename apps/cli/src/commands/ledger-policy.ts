import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  CHECKPOINT_PATH,
  LedgerError,
  parseCheckpoint,
  parsePolicy,
  parseSignedNote,
  parseTlogProof,
  parseVerifierKey,
  verifyPolicy,
} from "@tipstaff/ledger";
import { CliError } from "../cli-error.ts";
import { EVIDENCE_FILES, isEvidence } from "./ledger-evidence.ts";
import { openLog } from "./ledger-place.ts";

/** What a policy says of a checkpoint: who cosigned it and when, and whether that is a quorum. */
export type Witnessing = {
  readonly witnessed: boolean;
  readonly policy: string;
  readonly witnesses: readonly { readonly name: string; readonly at: string }[];
};

/** Holds the checkpoint of a log, a proof file or an evidence folder against a policy file. */
export async function judgeWitnesses(place: string, policyFile: string, verifierKey: string): Promise<Witnessing> {
  try {
    const policy = parsePolicy(readPolicyFile(policyFile));
    const note = await readNote(place);
    const { origin } = parseCheckpoint(parseSignedNote(note).text);
    const named = policy.logs.length > 0 ? {} : { log: { origin, keys: [parseVerifierKey(verifierKey)] } };
    const verdict = verifyPolicy(note, { policy, ...named });
    const found = verdict.witnesses ?? [];
    const witnesses = found.map(({ name, timestamp }) => ({
      name,
      at: new Date(Number(timestamp) * 1000).toISOString(),
    }));
    return {
      witnessed: verdict.ok && witnesses.length > 0,
      policy: verdict.ok ? "fulfilled" : verdict.reason,
      witnesses,
    };
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError("bad-input", error.message, "Look at the policy file.");
    throw error;
  }
}

function readPolicyFile(file: string): Uint8Array {
  if (!existsSync(file)) throw new CliError("bad-input", `There is no policy ${file}.`, "Name another with --policy.");
  return readFileSync(file);
}

async function readNote(place: string): Promise<Uint8Array> {
  if (isEvidence(place)) {
    const file = statSync(place).isDirectory() ? join(place, EVIDENCE_FILES.proof) : place;
    return parseTlogProof(readFileSync(file)).checkpoint;
  }
  const note = await openLog(place).read(CHECKPOINT_PATH);
  if (note === undefined) throw new CliError("bad-input", "That log has no checkpoint.", "Is it the right place?");
  return note;
}

export function witnessWords({ witnesses, policy }: Witnessing): string {
  const names = witnesses.map(({ name, at }) => `${name} at ${at}`).join(", ");
  return `Witnesses: ${names || "unwitnessed"}. Policy: ${policy}.`;
}
