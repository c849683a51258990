import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { concat } from "./bytes.ts";
import { SealingError } from "./sealing-error.ts";

/** So many fresh bytes of a cryptographic generator. */
export type RandomSource = (length: number) => Uint8Array;

export const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** Bytes that sealing adds: nonce and tag. */
export const AEAD_OVERHEAD = NONCE_LENGTH + TAG_LENGTH;

const POOL_BYTES = 4096;
let pool = new Uint8Array(0);
let taken = 0;

/** The operating system's generator. Small requests share one system call; no byte is handed out twice. */
export const systemRandom: RandomSource = (length) => {
  if (length > POOL_BYTES / 4) return randomFillSync(new Uint8Array(length));
  if (taken + length > pool.length) {
    pool = randomFillSync(new Uint8Array(POOL_BYTES));
    taken = 0;
  }
  const bytes = pool.slice(taken, taken + length);
  pool.fill(0, taken, taken + length);
  taken += length;
  return bytes;
};

/** A plain Uint8Array over the same memory: a Buffer behaves differently in JSON and comparisons. */
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

export const sha256 = (bytes: Uint8Array): Uint8Array => plain(hash("sha256", bytes, "buffer"));

// A KeyObject first: given raw bytes, OpenSSL's set-up costs three to six times as much per call.
export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  plain(createHmac("sha256", createSecretKey(key)).update(message).digest());

const NO_SALT = new Uint8Array(32);
const FIRST_BLOCK = Uint8Array.of(1);

/** HKDF-SHA-256 (RFC 5869) with an empty salt, split in two so that several keys of one root share the extraction. */
export const hkdfExtract = (secret: Uint8Array): Uint8Array => hmacSha256(NO_SALT, secret);
export const hkdfExpand32 = (extracted: Uint8Array, info: Uint8Array): Uint8Array =>
  hmacSha256(extracted, concat([info, FIRST_BLOCK]));

export type AeadInput = { key: Uint8Array; aad: Uint8Array; nonce: Uint8Array };

/** AES-256-GCM (NIST SP 800-38D): nonce ‖ ciphertext ‖ tag. */
export const sealAead = ({ key, aad, nonce }: AeadInput, plaintext: Uint8Array): Uint8Array => {
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(key), nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  const sealed = new Uint8Array(AEAD_OVERHEAD + body.length);
  sealed.set(nonce, 0);
  sealed.set(body, NONCE_LENGTH);
  sealed.set(cipher.getAuthTag(), NONCE_LENGTH + body.length);
  return sealed;
};

/** The plaintext; throws `malformed` for bytes too short, `not-authentic` where key, AAD or bytes do not fit. */
export const openAead = (key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array => {
  const end = sealed.length - TAG_LENGTH;
  if (end < NONCE_LENGTH) throw new SealingError("malformed", "sealed bytes are shorter than nonce and tag");
  const decipher = createDecipheriv("aes-256-gcm", createSecretKey(key), sealed.subarray(0, NONCE_LENGTH), {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = plain(decipher.update(sealed.subarray(NONCE_LENGTH, end)));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new SealingError("not-authentic", "sealed bytes were changed, or another key or context is needed");
  }
  return plaintext;
};

export type { KeyObject };
export const sha3 = (bytes: Uint8Array): Uint8Array => plain(hash("sha3-256", bytes, "buffer"));

/** SHAKE256 (FIPS 202). */
export const shake256 = (bytes: Uint8Array, outputLength: number): Uint8Array =>
  plain(hash("shake256", bytes, { outputEncoding: "buffer", outputLength }));

type Curve = "ml-kem-768" | "x25519";
export type KeyObjectPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** A SubjectPublicKeyInfo: RFC 8410 section 4 (X25519), draft-ietf-lamps-kyber-certificates section 4 (ML-KEM-768). */
const SPKI: Readonly<Record<Curve, { readonly head: Buffer; readonly rawLength: number }>> = {
  x25519: { head: Buffer.from("302a300506032b656e032100", "hex"), rawLength: 32 },
  "ml-kem-768": { head: Buffer.from("308204b2300b0609608648016503040402038204a100", "hex"), rawLength: 1184 },
};

/**
 * A public key of its raw bytes; throws where they are none. Handed to Node as a text: for anything else it finds out by
 * an exception, made and caught, that it is no key object yet, which costs more than the rest.
 */
export const publicKeyOf = (type: Curve, raw: Uint8Array): KeyObject => {
  const { head, rawLength } = SPKI[type];
  if (raw.length !== rawLength) throw new RangeError(`an ${type} key has ${rawLength} bytes`);
  const spki = Buffer.concat([head, raw]).toString("base64");
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
};

/** A key pair of its seed (ML-KEM: d ‖ z of FIPS 203; X25519: the scalar before clamping, RFC 7748). */
export const keyPairOf = (type: Curve, seed: Uint8Array): KeyObjectPair => {
  const format = type === "x25519" ? "raw-private" : "raw-seed";
  const privateKey = createPrivateKey({ key: Buffer.from(seed), format, asymmetricKeyType: type });
  return { privateKey, publicKey: createPublicKey(privateKey) };
};

export const rawPublicKey = (publicKey: KeyObject): Uint8Array => plain(publicKey.export({ format: "raw-public" }));

export const generateKeyPair = (type: Curve): KeyObjectPair =>
  type === "x25519" ? generateKeyPairSync("x25519") : generateKeyPairSync("ml-kem-768");

/** X25519 (RFC 7748); throws where the secret would be zero. */
export const agreeX25519 = (privateKey: KeyObject, publicKey: KeyObject): Uint8Array =>
  plain(diffieHellman({ privateKey, publicKey }));

/** ML-KEM (FIPS 203). */
export const encapsulateMlKem = (publicKey: KeyObject): { secret: Uint8Array; ciphertext: Uint8Array } => {
  const { sharedKey, ciphertext } = encapsulate(publicKey);
  return { secret: plain(sharedKey), ciphertext: plain(ciphertext) };
};

export const decapsulateMlKem = (privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array =>
  plain(decapsulate(privateKey, ciphertext));

/** Argon2id (RFC 9106): 64 MiB, 3 passes, 1 lane, 32 bytes out. */
export const argon2id = (passphrase: Uint8Array, salt: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const parameters = { message: passphrase, nonce: salt, parallelism: 1, tagLength: 32, memory: 65_536, passes: 3 };
    argon2("argon2id", parameters, (cause, key) => (cause === null ? resolve(plain(key)) : reject(cause)));
  });
