// For platforms without node:crypto, as browsers are: WebCrypto cannot answer at once, and a log's hashes must.
import { gcm } from "@noble/ciphers/aes.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 as hash } from "@noble/hashes/sha2.js";
import { type AeadInput, GCM_TAG_LENGTH, type MlDsa44, NONCE_LENGTH, type PlatformKey } from "./types.ts";

export const sha256 = (bytes: Uint8Array): Uint8Array => hash(bytes);

/** Writes the digest into `out` from `at` on. */
export const sha256Into = (bytes: Uint8Array, out: Uint8Array, at: number): void => out.set(hash(bytes), at);

/** AES-256-GCM (NIST SP 800-38D): nonce ‖ ciphertext ‖ tag. */
export const sealAead = ({ key, nonce, aad }: AeadInput, plaintext: Uint8Array): Uint8Array => {
  const body = gcm(key, nonce, aad).encrypt(plaintext);
  const sealed = new Uint8Array(NONCE_LENGTH + body.length);
  sealed.set(nonce, 0);
  sealed.set(body, NONCE_LENGTH);
  return sealed;
};

/** The plaintext, or `undefined` where key, AAD or bytes do not fit. */
export const openAead = (key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined => {
  if (sealed.length < NONCE_LENGTH + GCM_TAG_LENGTH) return undefined;
  const cipher = gcm(key, sealed.subarray(0, NONCE_LENGTH), aad);
  try {
    return cipher.decrypt(sealed.subarray(NONCE_LENGTH));
  } catch {
    return undefined;
  }
};

const rawKey = (key: PlatformKey): Uint8Array => {
  if (!(key instanceof Uint8Array)) throw new TypeError("that key was not made by this platform");
  return key;
};

export const ed25519PrivateKey = (seed: Uint8Array): PlatformKey => seed.slice();

export const ed25519PublicKey = (raw: Uint8Array): PlatformKey => raw.slice();

export const ed25519RawPublicKey = (privateKey: PlatformKey): Uint8Array => ed25519.getPublicKey(rawKey(privateKey));

export const signEd25519 = (privateKey: PlatformKey, message: Uint8Array): Uint8Array =>
  ed25519.sign(message, rawKey(privateKey));

export const verifyEd25519 = (publicKey: PlatformKey, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    // As RFC 8032 has it: ZIP 215 would take signatures that OpenSSL refuses.
    return ed25519.verify(signature, message, rawKey(publicKey), { zip215: false });
  } catch {
    return false;
  }
};

/** None here: whoever must verify such signatures hands the verification in. */
export const nativeMlDsa44 = (): MlDsa44 | undefined => undefined;
