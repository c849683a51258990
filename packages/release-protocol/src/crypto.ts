import { createPublicKey, hash, type KeyObject, timingSafeEqual, verify } from "node:crypto";

export type { KeyObject };

const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
const PUBLIC_KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;

export const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Whether an Ed25519 signature (RFC 8032) is right; false for a key of another kind or a signature of another length. */
export const verifyEd25519 = (key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean =>
  key.asymmetricKeyType === "ed25519" && signature.length === SIGNATURE_LENGTH && verify(null, message, key, signature);

/**
 * The Ed25519 public key (RFC 8032) of 32 bytes written in base64, as agreements and pins hold it; `undefined` for
 * anything but the canonical encoding of 32 bytes.
 */
export const parsePublicKey = (base64: string): KeyObject | undefined => {
  const raw = Buffer.from(base64, "base64");
  if (raw.length !== PUBLIC_KEY_LENGTH || raw.toString("base64") !== base64) return undefined;
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });
};
