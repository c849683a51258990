import type { KeyholderClient } from "./keyholder-client.ts";

/** A checkpoint to be signed, with the RFC 6962 proof from `oldSize` (section 2.1.2). */
export type CheckpointToSign = {
  readonly origin: string;
  readonly oldSize: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly consistencyProof: readonly Uint8Array[];
};

export type CheckpointSigner = {
  /** The signed note. The keyholder demands that the checkpoint extends the last that it signed, or is the same. */
  readonly sign: (checkpoint: CheckpointToSign) => Promise<Uint8Array>;
  /** What it signed last; size 0 and the empty root before the first. */
  readonly lastSigned: () => Promise<{ readonly size: number; readonly root: Uint8Array }>;
};

/**
 * The keyholder as signer of the log's checkpoints. Where it refuses one, `sign` rejects with what `toRefusal` makes of the
 * words; where it cannot be asked, both reject with KeyholderError.
 */
export function createCheckpointSigner(
  keyholder: KeyholderClient,
  toRefusal: (words: string) => Error,
): CheckpointSigner {
  return {
    sign: async ({ origin, oldSize, size, root, consistencyProof }) => {
      const answer = await keyholder.call("checkpoints/sign", {
        ...{ origin, oldSize, size },
        root: Buffer.from(root).toString("base64url"),
        consistency: consistencyProof.map((hash) => Buffer.from(hash).toString("base64")),
      });
      if (answer.ok) return Buffer.from(answer.note, "utf8");
      const { reason, size: last } = answer;
      throw toRefusal(`the keyholder refuses checkpoint ${size} (${reason}); it signed size ${last} last`);
    },
    lastSigned: async () => {
      const { checkpoint } = await keyholder.call("status", {});
      return { size: checkpoint.size, root: Buffer.from(checkpoint.root, "base64url") };
    },
  };
}
