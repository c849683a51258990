import { LedgerError, type Policy, parsePolicy, parseVerifierKey, verifyPolicy } from "@tipstaff/ledger";
import type { ConsoleRequest, ConsoleResponse } from "../console-types.ts";
import { sha256Hex } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { readSetting, writeSetting } from "../settings.ts";

/** Pins, or replaces, whose cosignatures the checkpoint under a release must carry. */
export function pinWitnesses(
  { store, now, keys }: Keyholder,
  { policy }: ConsoleRequest<"witnesses/pin">,
): ConsoleResponse<"witnesses/pin"> {
  const { witnesses } = readPolicy(policy);
  const own = [keys.checkpointSigner, keys.forceSigner].map(
    ({ verifierKey }) => parseVerifierKey(verifierKey).publicKey,
  );
  if (witnesses.some(({ key }) => own.some((publicKey) => Buffer.compare(publicKey, key.publicKey) === 0))) {
    throw new RefusedCall(
      "malformed",
      "the policy names a key of this keyholder as a witness: that would be nobody else",
    );
  }
  return store.transaction(() => {
    writeSetting(store, "witness-policy", policy);
    const detail = { digest: sha256Hex(Buffer.from(policy, "utf8")) };
    appendJournal(store, { at: now(), what: "witnesses-pinned", detail });
    return { pinned: true };
  });
}

/** The policy as it was pinned, or `null`. */
export const pinnedWitnesses = ({ store }: Keyholder): string | null => readSetting(store, "witness-policy") ?? null;

function readPolicy(text: string): Policy {
  try {
    return parsePolicy(Buffer.from(text, "utf8"));
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new RefusedCall("malformed", cause.message, { cause });
  }
}

export type WitnessedClaim = {
  readonly checkpoint: string | undefined;
  readonly size: number;
  readonly root: Uint8Array;
};

/** Whether the pinned policy's quorum cosigned this tree. Without a pinned policy nothing is asked; with one, no note means no. */
export function createWitnessJudge({ store, keys }: Keyholder): (claim: WitnessedClaim) => boolean {
  const text = readSetting(store, "witness-policy");
  if (text === undefined) return () => true;
  const policy = readPolicy(text);
  const log = {
    origin: keys.checkpointSigner.name,
    keys: [parseVerifierKey(keys.checkpointSigner.verifierKey)],
  };
  const judged = new Map<string, { size: bigint; root: Uint8Array } | undefined>();
  const judge = (note: string) => {
    try {
      const verdict = verifyPolicy(Buffer.from(note, "utf8"), { policy, log });
      return verdict.ok ? verdict.checkpoint : undefined;
    } catch (error) {
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  };
  return ({ checkpoint, size, root }) => {
    if (checkpoint === undefined) return false;
    if (!judged.has(checkpoint)) judged.set(checkpoint, judge(checkpoint));
    const head = judged.get(checkpoint);
    return head !== undefined && head.size === BigInt(size) && Buffer.compare(head.root, root) === 0;
  };
}
