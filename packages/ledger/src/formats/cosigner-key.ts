import { ed25519PublicKey, type PlatformKey } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { encodeTypedKey, parseTypedKey } from "./verifier-key.ts";

/** The two signature types of C2SP tlog-cosignature. */
export type CosignatureAlgorithm = "ed25519" | "ml-dsa-44";

/** Signature type byte and public key length of each algorithm (C2SP tlog-cosignature, "Format"). */
export const COSIGNATURE_TYPES = {
  ed25519: { type: 0x04, keyLength: 32, signatureLength: 64 },
  "ml-dsa-44": { type: 0x06, keyLength: 1312, signatureLength: 2420 },
} as const;

/** A key by which cosignatures are verified. `keyId` is eight lower-case hex digits. */
export type CosignerKey = { readonly name: string; readonly keyId: string; readonly publicKey: Uint8Array } & (
  | { readonly algorithm: "ed25519"; readonly key: PlatformKey }
  | { readonly algorithm: "ml-dsa-44" }
);

const malformed = (why: string): LedgerError => new LedgerError("verifier-key-malformed", `cosigner's key: ${why}`);

/** `name+keyid+base64(type ‖ public key)`; throws `verifier-key-malformed`. */
export const encodeCosignerKey = (input: {
  name: string;
  algorithm: CosignatureAlgorithm;
  publicKey: Uint8Array;
}): string => {
  const { name, algorithm, publicKey } = input;
  const { type, keyLength } = COSIGNATURE_TYPES[algorithm];
  if (publicKey.length !== keyLength) throw malformed(`a public key of ${algorithm} is ${keyLength} bytes long`);
  return encodeTypedKey({ name, type, publicKey });
};

/**
 * Reads the verifier key of a cosigner: type 04 (Ed25519) or 06 (ML-DSA-44). Throws `verifier-key-malformed`, also for the
 * key of a note's plain signature (type 01).
 */
export const parseCosignerKey = (text: string): CosignerKey => {
  const { name, keyId, type, publicKey } = parseTypedKey(text);
  const { ed25519, "ml-dsa-44": mlDsa } = COSIGNATURE_TYPES;
  if (type === ed25519.type && publicKey.length === ed25519.keyLength) {
    return { name, keyId, publicKey, algorithm: "ed25519", key: ed25519PublicKey(publicKey) };
  }
  if (type === mlDsa.type && publicKey.length === mlDsa.keyLength) {
    return { name, keyId, publicKey, algorithm: "ml-dsa-44" };
  }
  throw malformed("only Ed25519 (type 04, 32 bytes) and ML-DSA-44 (type 06, 1312 bytes) are known");
};
