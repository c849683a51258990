import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hash,
  KeyObject,
  sign as signWith,
  verify as verifyWith,
} from "node:crypto";
import { type AeadInput, GCM_TAG_LENGTH, type MlDsa44, NONCE_LENGTH, type PlatformKey } from "./types.ts";

export const sha256 = (bytes: Uint8Array): Uint8Array => {
  const digest = new Uint8Array(32);
  sha256Into(bytes, digest, 0);
  return digest;
};

/** Writes the digest into `out` from `at` on. Node takes four times as long to answer with a buffer as with a text. */
export const sha256Into = (bytes: Uint8Array, out: Uint8Array, at: number): void => {
  const digest = hash("sha256", bytes, "binary");
  for (let i = 0; i < digest.length; i++) out[at + i] = digest.charCodeAt(i);
};

// Here and below: Node takes three times as long over raw key bytes as over a key object made of them.
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

const nodeKey = (key: PlatformKey): KeyObject => {
  if (!(key instanceof KeyObject)) throw new TypeError("that key was not made by this platform");
  return key;
};

export const ed25519PrivateKey = (seed: Uint8Array): PlatformKey =>
  createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });

export const ed25519PublicKey = (raw: Uint8Array): PlatformKey =>
  createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });

export const ed25519RawPublicKey = (privateKey: PlatformKey): Uint8Array => {
  const der = createPublicKey(nodeKey(privateKey)).export({ format: "der", type: "spki" });
  return Uint8Array.from(der.subarray(SPKI_HEAD.length));
};

export const signEd25519 = (privateKey: PlatformKey, message: Uint8Array): Uint8Array =>
  signWith(null, message, nodeKey(privateKey));

export const verifyEd25519 = (publicKey: PlatformKey, message: Uint8Array, signature: Uint8Array): boolean =>
  verifyWith(null, message, nodeKey(publicKey), signature);

// RFC 9881: the fixed DER heads of an ML-DSA-44 private key (as its seed) and public key.
const ML_DSA_PKCS8_HEAD = Buffer.from("3034020100300b060960864801650304031104228020", "hex");
const ML_DSA_SPKI_HEAD = Buffer.from("30820532300b06096086480165030403110382052100", "hex");

const mlDsaPrivateKey = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([ML_DSA_PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });

const mlDsaVerifier: MlDsa44 = {
  publicKey: (seed) => {
    const der = createPublicKey(mlDsaPrivateKey(seed)).export({ format: "der", type: "spki" });
    return Uint8Array.from(der.subarray(ML_DSA_SPKI_HEAD.length));
  },
  verify: (publicKey, message, signature) => {
    try {
      const der = Buffer.concat([ML_DSA_SPKI_HEAD, publicKey]);
      return verifyWith(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
    } catch {
      return false;
    }
  },
};

const mlDsaSigner: MlDsa44 = {
  ...mlDsaVerifier,
  sign: (seed, message) => signWith(null, message, mlDsaPrivateKey(seed)),
};

let mlDsa44: MlDsa44 | "none" | undefined;

/** Node's own ML-DSA-44; `undefined` where OpenSSL is older than 3.5. Node before 24.7 verifies with it and cannot sign. */
export const nativeMlDsa44 = (): MlDsa44 | undefined => {
  mlDsa44 ??= findMlDsa();
  return mlDsa44 === "none" ? undefined : mlDsa44;
};

const findMlDsa = (): MlDsa44 | "none" => {
  const seed = new Uint8Array(32);
  if (!works(() => mlDsaPrivateKey(seed))) return "none";
  return works(() => mlDsaSigner.sign?.(seed, seed)) ? mlDsaSigner : mlDsaVerifier;
};

const works = (attempt: () => unknown): boolean => {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
};
