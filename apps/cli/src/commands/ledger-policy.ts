import {
  LedgerError,
  type LogKey,
  type Policy,
  parseCheckpoint,
  parsePolicy,
  parseSignedNote,
  verifyPolicy,
  type WitnessTime,
} from "@tipstaff/ledger";
import { CliError } from "../cli-error.ts";
import { readWhole } from "./read-whole.ts";

/** What a policy says of a checkpoint: who cosigned it and when, and whether that is a quorum. */
export type Witnessing = {
  readonly witnessed: boolean;
  readonly policy: string;
  readonly witnesses: readonly { readonly name: string; readonly at: string }[];
};

const MAX_POLICY_BYTES = 1_048_576;
/** The last second that a date can hold (ECMA-262, section 21.4.1.1). A witness may state any up to 2^63 − 1. */
const LAST_SECOND = 8_640_000_000_000n;

/** Reads a policy file. Throws CliError `bad-input`. */
export function readPolicy(file: string): Policy {
  try {
    return parsePolicy(readWhole(file, MAX_POLICY_BYTES));
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError("bad-input", error.message, "Look at the policy file.");
    throw error;
  }
}

/** Holds the checkpoint that was verified against a policy; the keys count where the policy names no log. */
export function judgeNote(note: Uint8Array, policy: Policy, keys: readonly LogKey[]): Witnessing {
  const { origin } = parseCheckpoint(parseSignedNote(note).text);
  const verdict = verifyPolicy(note, { policy, ...(policy.logs.length > 0 ? {} : { log: { origin, keys } }) });
  return toWitnessing(verdict.ok ? "fulfilled" : verdict.reason, verdict.witnesses ?? []);
}

export function toWitnessing(policy: string, found: readonly WitnessTime[]): Witnessing {
  const witnesses = found.map(({ name, timestamp }) => ({ name, at: timeWords(timestamp) }));
  return { witnessed: policy === "fulfilled" && witnesses.length > 0, policy, witnesses };
}

function timeWords(seconds: bigint): string {
  if (seconds === 0n) return "no time stated";
  return seconds > LAST_SECOND ? `second ${seconds}` : new Date(Number(seconds) * 1000).toISOString();
}

/** For a first line: whether, and by how many. */
export function witnessedBy(witnessing: Witnessing | undefined): string {
  if (!witnessing?.witnessed) return "unwitnessed";
  return `witnessed by ${witnessing.witnesses.map(({ name }) => name).join(", ")}`;
}

export function witnessWords({ witnesses, policy }: Witnessing): string {
  const names = witnesses.map(({ name, at }) => `${name} at ${at}`).join(", ");
  return `Witnesses: ${names || "none"}. Policy: ${policy}.`;
}
