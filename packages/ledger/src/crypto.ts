import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  sign as ed25519Sign,
  verify as ed25519Verify,
  hash,
  type KeyObject,
  randomUUID,
} from "node:crypto";

export type { KeyObject };
/** A name that no other writer will choose. */
export const uniqueName = (): string => randomUUID();

export const DIGEST_LENGTH = 32;
export const NONCE_LENGTH = 12;
export const GCM_TAG_LENGTH = 16;
const BLOCK = 64;

export const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

/**
 * HMAC-SHA-256 (RFC 2104) for 32-byte keys. Built on the one-shot hash because `createHmac` costs five times as much
 * per call, and an entry needs twelve.
 */
export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array => {
  if (key.length !== DIGEST_LENGTH) throw new RangeError("an HMAC key here is 32 bytes long");
  const inner = new Uint8Array(BLOCK + message.length).fill(0x36, 0, BLOCK);
  const outer = new Uint8Array(BLOCK + DIGEST_LENGTH).fill(0x5c, 0, BLOCK);
  for (let i = 0; i < DIGEST_LENGTH; i++) {
    const byte = key[i] ?? 0;
    inner[i] = 0x36 ^ byte;
    outer[i] = 0x5c ^ byte;
  }
  inner.set(message, BLOCK);
  outer.set(sha256(inner), BLOCK);
  return sha256(outer);
};

// Here and below: Node takes three times as long over raw key bytes as over a key object made of them.
export type AeadInput = { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array };

/** AES-256-GCM (NIST SP 800-38D): nonce ‖ ciphertext ‖ tag. */
export const sealAead = ({ key, nonce, aad }: AeadInput, plaintext: Uint8Array): Uint8Array => {
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(key), nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  const sealed = new Uint8Array(NONCE_LENGTH + body.length + GCM_TAG_LENGTH);
  sealed.set(nonce, 0);
  sealed.set(body, NONCE_LENGTH);
  sealed.set(cipher.getAuthTag(), NONCE_LENGTH + body.length);
  return sealed;
};

/** The plaintext, or `undefined` where key, AAD or bytes do not fit. */
export const openAead = (key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined => {
  const end = sealed.length - GCM_TAG_LENGTH;
  if (end < NONCE_LENGTH) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", createSecretKey(key), sealed.subarray(0, NONCE_LENGTH), {
    authTagLength: GCM_TAG_LENGTH,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(NONCE_LENGTH, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
};

// RFC 8410: the fixed DER heads of an Ed25519 PKCS #8 private key and SPKI public key.
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

export const ed25519PrivateKey = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });

export const ed25519PublicKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });

export const ed25519RawPublicKey = (privateKey: KeyObject): Uint8Array =>
  Uint8Array.from(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_HEAD.length));

export const signEd25519 = (privateKey: KeyObject, message: Uint8Array): Uint8Array =>
  ed25519Sign(null, message, privateKey);

export const verifyEd25519 = (publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean =>
  ed25519Verify(null, message, publicKey, signature);
