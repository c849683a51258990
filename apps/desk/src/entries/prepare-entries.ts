import { createHash } from "node:crypto";
import { leafHash } from "@tipstaff/ledger";
import { type EntryDraft, KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { KeyholderClient } from "@tipstaff/release-protocol/node";
import { DeskError } from "../server/desk-error.ts";

/** An entry as the keyholder made it: nothing in it can be read without the keyholder's keys. */
export type PreparedEntry = {
  readonly operationId: Buffer;
  readonly leaf: Buffer;
  readonly openings: Buffer;
  /** Hex. */
  readonly leafHash: string;
  /** What the intake compares when the same event comes twice. */
  readonly requestDigest: Buffer;
};

/** Has the keyholder prepare the entries, in the order given; throws KeyholderError. */
export async function prepareEntries(
  keyholder: KeyholderClient,
  drafts: readonly EntryDraft[],
): Promise<PreparedEntry[]> {
  const prepared: PreparedEntry[] = [];
  for (let start = 0; start < drafts.length; start += KEYHOLDER_BATCH) {
    const batch = drafts.slice(start, start + KEYHOLDER_BATCH);
    const { entries } = await keyholder.call("entries/prepare", { entries: batch });
    for (const [at, draft] of batch.entries()) {
      const entry = entries[at];
      if (entry === undefined)
        throw new DeskError("broken-invariant", "The keyholder prepared fewer entries than asked");
      const leaf = Buffer.from(entry.leaf, "base64url");
      prepared.push({
        operationId: Buffer.from(entry.operationId, "base64url"),
        leaf,
        openings: Buffer.from(entry.openings, "base64url"),
        leafHash: Buffer.from(leafHash(leaf)).toString("hex"),
        requestDigest: digestOf(draft),
      });
    }
  }
  return prepared;
}

/** A draft that names a request is that request; any other is what it says. */
function digestOf(draft: EntryDraft): Buffer {
  if (draft.request !== undefined) return Buffer.from(draft.request, "hex");
  const { n: _, wrapped: __, ...said } = draft;
  return createHash("sha256").update(JSON.stringify(said)).digest();
}
