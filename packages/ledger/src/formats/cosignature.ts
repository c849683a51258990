import { concat, u64be, utf8 } from "../bytes.ts";
import {
  ed25519PrivateKey,
  ed25519RawPublicKey,
  type MlDsa44Verify,
  nativeMlDsa44,
  signEd25519,
  verifyEd25519,
} from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import {
  COSIGNATURE_TYPES,
  type CosignatureAlgorithm,
  type CosignerKey,
  encodeCosignerKey,
  parseCosignerKey,
} from "./cosigner-key.ts";
import type { NoteSignature } from "./signed-note.ts";
import { isKeyName } from "./verifier-key.ts";

const TIME_LENGTH = 8;
const SEED_LENGTH = 32;
const MAX_TIMESTAMP = 2n ** 63n - 1n;
const MAX_OPAQUE = 255;
const SUBTREE_LABEL = utf8("subtree/v1\n\0");

/** Something that states, at a time, that it saw a log grow consistently. */
export type Cosigner = {
  readonly name: string;
  readonly keyId: string;
  readonly verifierKey: string;
  /**
   * Cosigns the text of a checkpoint. `timestamp` is in seconds since the epoch. Throws `checkpoint-malformed`, or
   * `cosignature-malformed` for a time that cannot be written.
   */
  readonly cosign: (text: string, timestamp: number | bigint) => NoteSignature;
};

const malformed = (why: string): LedgerError => new LedgerError("cosignature-malformed", `cosignature: ${why}`);

/**
 * A cosigner by a seed of 32 bytes (RFC 8032; FIPS 204 for ML-DSA-44). Throws `signer-invalid`, also where the platform has
 * no ML-DSA. No two cosigners may share an Ed25519 seed: that signature does not bind the name.
 */
export const createCosigner = (input: {
  name: string;
  seed: Uint8Array;
  algorithm?: CosignatureAlgorithm;
}): Cosigner => {
  const { name, seed, algorithm = "ed25519" } = input;
  if (!isKeyName(name)) throw new LedgerError("signer-invalid", "a cosigner's name may hold no space, plus or control");
  if (seed.length !== SEED_LENGTH) throw new LedgerError("signer-invalid", "a cosigner's seed is 32 bytes long");
  if (algorithm === "ml-dsa-44" && utf8(name).length > MAX_OPAQUE) {
    throw new LedgerError("signer-invalid", `an ML-DSA-44 cosigner's name has at most ${MAX_OPAQUE} bytes`);
  }
  const { publicKey, sign } = algorithm === "ed25519" ? ed25519Pair(seed) : mlDsaPair(seed);
  const verifierKey = encodeCosignerKey({ name, algorithm, publicKey });
  const { keyId } = parseCosignerKey(verifierKey);
  const cosign = (text: string, timestamp: number | bigint): NoteSignature => {
    const time = toTimestamp(timestamp);
    const signature = sign(cosignedMessage(algorithm, { name, text, time }));
    return { name, keyId, signature: concat([u64be(time), signature]) };
  };
  return { name, keyId, verifierKey, cosign };
};

type Pair = { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array };

const ed25519Pair = (seed: Uint8Array): Pair => {
  const privateKey = ed25519PrivateKey(seed);
  return { publicKey: ed25519RawPublicKey(privateKey), sign: (message) => signEd25519(privateKey, message) };
};

const mlDsaPair = (seed: Uint8Array): Pair => {
  const native = nativeMlDsa44();
  const sign = native?.sign;
  if (native === undefined || sign === undefined)
    throw new LedgerError("signer-invalid", "this platform has no ML-DSA-44 to sign with");
  return { publicKey: native.publicKey(seed), sign: (message) => sign(seed, message) };
};

const toTimestamp = (timestamp: number | bigint): bigint => {
  if (typeof timestamp === "number" && !Number.isSafeInteger(timestamp)) throw malformed("its time is no whole second");
  const time = BigInt(timestamp);
  if (time < 0n || time > MAX_TIMESTAMP) throw malformed("its time must be from 0 up to 2^63 − 1");
  return time;
};

type Cosigned = { readonly name: string; readonly text: string; readonly time: bigint };

const cosignedMessage = (algorithm: CosignatureAlgorithm, cosigned: Cosigned): Uint8Array => {
  const { origin, size, root, extensions } = parseCheckpoint(cosigned.text);
  const { name, text, time } = cosigned;
  if (algorithm === "ed25519") return utf8(`cosignature/v1\ntime ${time}\n${text}`);
  // ML-DSA's message leaves them out: they would stand unsigned under a signature.
  if (extensions.length > 0) throw malformed("ML-DSA-44 cosigns no checkpoint with extension lines");
  const whole = [SUBTREE_LABEL, opaque(name), u64be(time), opaque(origin), u64be(0), u64be(size), root];
  return concat(whole);
};

const opaque = (text: string): Uint8Array => {
  const bytes = utf8(text);
  if (bytes.length > MAX_OPAQUE) throw malformed(`ML-DSA-44 binds names of at most ${MAX_OPAQUE} bytes`);
  return concat([Uint8Array.of(bytes.length), bytes]);
};

/** Whether a cosigner by that algorithm can cosign this checkpoint at all: ML-DSA-44's message holds no extension lines. */
export const isCosignable = (checkpoint: Checkpoint, algorithm: CosignatureAlgorithm): boolean =>
  algorithm === "ed25519" || (checkpoint.extensions.length === 0 && utf8(checkpoint.origin).length <= MAX_OPAQUE);

/** `other-key`: name or id are not those of the key. `malformed`: wrong length, or a time over 2^63 − 1. */
export type CosignatureVerdict =
  | {
      readonly ok: true;
      /** Seconds since the epoch; 0 where an ML-DSA cosigner states no time. */
      readonly timestamp: bigint;
    }
  | { readonly ok: false; readonly reason: "other-key" | "malformed" | "bad-signature" | "unsupported-algorithm" };

/**
 * Verifies one cosignature over the text of a checkpoint (C2SP tlog-cosignature). ML-DSA-44 is verified by the platform, or
 * by `mlDsa44` where that is handed in; with neither the answer is `unsupported-algorithm`. Throws
 * `checkpoint-malformed` where the text is none.
 */
export const verifyCosignature = (
  text: string,
  signature: NoteSignature,
  { key, mlDsa44 }: { key: CosignerKey; mlDsa44?: MlDsa44Verify | undefined },
): CosignatureVerdict => {
  if (signature.name !== key.name || signature.keyId !== key.keyId) return { ok: false, reason: "other-key" };
  const { signatureLength } = COSIGNATURE_TYPES[key.algorithm];
  const bytes = signature.signature;
  if (bytes.length !== TIME_LENGTH + signatureLength) return { ok: false, reason: "malformed" };
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset, TIME_LENGTH).getBigUint64(0);
  if (timestamp > MAX_TIMESTAMP) return { ok: false, reason: "malformed" };
  const isVerified = verifierOf(key, mlDsa44);
  if (isVerified === undefined) return { ok: false, reason: "unsupported-algorithm" };
  const message = messageOrNone(key, { text, time: timestamp });
  const good = message !== undefined && isVerified(message, bytes.subarray(TIME_LENGTH));
  return good ? { ok: true, timestamp } : { ok: false, reason: "bad-signature" };
};

/** `undefined` where this cosigner cannot have cosigned that checkpoint: ML-DSA's message holds no long origin and no extension. */
const messageOrNone = (key: CosignerKey, { text, time }: Omit<Cosigned, "name">): Uint8Array | undefined => {
  try {
    return cosignedMessage(key.algorithm, { name: key.name, text, time });
  } catch (error) {
    if (error instanceof LedgerError && error.code === "cosignature-malformed") return undefined;
    throw error;
  }
};

const verifierOf = (
  key: CosignerKey,
  mlDsa44: MlDsa44Verify | undefined,
): ((message: Uint8Array, signature: Uint8Array) => boolean) | undefined => {
  if (key.algorithm === "ed25519") return (message, signature) => verifyEd25519(key.key, message, signature);
  const verify = mlDsa44 ?? nativeMlDsa44()?.verify;
  return verify && ((message, signature) => verify(key.publicKey, message, signature));
};
