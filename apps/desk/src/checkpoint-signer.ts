import { LedgerError } from "@tipstaff/ledger";
import type { SignRequest } from "@tipstaff/ledger/postgres";
import type { KeyholderClient } from "@tipstaff/release-protocol/node";

/** Has the keyholder sign a checkpoint; it demands that the new one extends the last that it signed. */
export async function signCheckpoint(keyholder: KeyholderClient, request: SignRequest): Promise<Uint8Array> {
  const { origin, oldSize, size, root, consistencyProof } = request;
  const answer = await keyholder.call("checkpoints/sign", {
    ...{ origin, oldSize, size },
    root: Buffer.from(root).toString("base64url"),
    consistency: consistencyProof.map((hash) => Buffer.from(hash).toString("base64")),
  });
  if (answer.ok) return Buffer.from(answer.note, "utf8");
  const words = `the keyholder refuses checkpoint ${size} (${answer.reason}); it signed size ${answer.size} last`;
  throw new LedgerError("signature-refused", words);
}
