import { KEM_MLKEM768_X25519, type KEMFactory, type Key, type KeyPair } from "hpke";
import { concat, utf8 } from "./bytes.ts";
import {
  agreeX25519,
  decapsulateMlKem,
  encapsulateMlKem,
  generateKeyPair,
  type KeyObject,
  type KeyObjectPair,
  keyPairOf,
  publicKeyOf,
  rawPublicKey,
  sha3,
  shake256,
} from "./crypto.ts";

const SEED_LENGTH = 32;
const ML_KEM_SEED_LENGTH = 64;
const ML_KEM_PUBLIC_KEY_LENGTH = 1184;
const ML_KEM_CIPHERTEXT_LENGTH = 1088;
const X25519_LENGTH = 32;
const LABEL = utf8("\\.//^\\");

type Halves = {
  readonly mlKem: KeyObject;
  readonly x25519: KeyObject;
  /** The X25519 public key's bytes, which the combiner needs on both sides. */
  readonly x25519Raw: Uint8Array;
};

/** Halves of the keys that were handed out: only this file can reach them, so that a private key cannot be taken out. */
const halvesByKey = new WeakMap<Key, Halves>();

function toKey(type: "public" | "private", halves: Halves): Key {
  const key: Key = Object.freeze({ algorithm: { name: "X-Wing" }, extractable: type === "public", type });
  halvesByKey.set(key, halves);
  return key;
}

function halvesOf(key: Key): Halves {
  const halves = halvesByKey.get(key);
  if (halves === undefined) throw new TypeError("this key was not made by this package");
  return halves;
}

/** Key pair of a 32-byte seed (draft-connolly-cfrg-xwing-kem, section 5.2). Nothing keeps the seed. */
function expand(seed: Uint8Array): KeyPair {
  if (seed.length !== SEED_LENGTH) throw new RangeError(`an X-Wing seed must be ${SEED_LENGTH} bytes long`);
  const expanded = shake256(seed, ML_KEM_SEED_LENGTH + X25519_LENGTH);
  const mlKem = keyPairOf("ml-kem-768", expanded.subarray(0, ML_KEM_SEED_LENGTH));
  const x25519 = keyPairOf("x25519", expanded.subarray(ML_KEM_SEED_LENGTH));
  expanded.fill(0);
  return toKeyPair(mlKem, x25519);
}

function toKeyPair(mlKem: KeyObjectPair, x25519: KeyObjectPair): KeyPair {
  const x25519Raw = rawPublicKey(x25519.publicKey);
  return {
    privateKey: toKey("private", { mlKem: mlKem.privateKey, x25519: x25519.privateKey, x25519Raw }),
    publicKey: toKey("public", { mlKem: mlKem.publicKey, x25519: x25519.publicKey, x25519Raw }),
  };
}

/** The combiner (section 5.3). */
function combine(parts: { pq: Uint8Array; agreed: Uint8Array; sent: Uint8Array; recipient: Uint8Array }): Uint8Array {
  const { pq, agreed, sent, recipient } = parts;
  const joined = concat([pq, agreed, sent, recipient, LABEL]);
  const secret = sha3(joined);
  for (const bytes of [pq, agreed, joined]) bytes.fill(0);
  return secret;
}

/** Section 5.4. */
function encapsulate(key: Key): { shared_secret: Uint8Array; enc: Uint8Array } {
  const { mlKem, x25519, x25519Raw } = halvesOf(key);
  const pq = encapsulateMlKem(mlKem);
  const ephemeral = generateKeyPair("x25519");
  const sent = rawPublicKey(ephemeral.publicKey);
  const agreed = agreeX25519(ephemeral.privateKey, x25519);
  const secret = combine({ pq: pq.secret, agreed, sent, recipient: x25519Raw });
  return { shared_secret: secret, enc: concat([pq.ciphertext, sent]) };
}

/** Section 5.5. */
function decapsulate(enc: Uint8Array, key: Key): Uint8Array {
  const { mlKem, x25519, x25519Raw } = halvesOf(key);
  const sent = enc.subarray(ML_KEM_CIPHERTEXT_LENGTH);
  const pq = decapsulateMlKem(mlKem, enc.subarray(0, ML_KEM_CIPHERTEXT_LENGTH));
  const agreed = agreeX25519(x25519, publicKeyOf("x25519", sent));
  return combine({ pq, agreed, sent, recipient: x25519Raw });
}

const notDone = (what: string) => async (): Promise<never> => {
  throw new TypeError(`${what}: one-time keys live in one process and are never written down`);
};

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem; HPKE KEM 0x647a) over node:crypto's own keys, for hpke's CipherSuite. hpke's own,
 * over Web Crypto, costs two to three times as much, and every release makes a key, seals to it and opens with it.
 */
export const xWing: KEMFactory = () => ({
  ...KEM_MLKEM768_X25519(),
  DeriveKeyPair: notDone("deriving a key pair"),
  SerializePrivateKey: notDone("writing a private key"),
  // Each half drawn for itself: a seed is for writing a key down, and reading the halves out of one costs 0.2 ms more.
  GenerateKeyPair: async () => toKeyPair(generateKeyPair("ml-kem-768"), generateKeyPair("x25519")),
  DeserializePrivateKey: async (seed) => expand(seed).privateKey,
  SerializePublicKey: async (key) => {
    const { mlKem, x25519Raw } = halvesOf(key);
    return concat([rawPublicKey(mlKem), x25519Raw]);
  },
  DeserializePublicKey: async (raw) => {
    const x25519Raw = raw.slice(ML_KEM_PUBLIC_KEY_LENGTH);
    const mlKem = publicKeyOf("ml-kem-768", raw.subarray(0, ML_KEM_PUBLIC_KEY_LENGTH));
    return toKey("public", { mlKem, x25519: publicKeyOf("x25519", x25519Raw), x25519Raw });
  },
  Encap: async (key) => encapsulate(key),
  Decap: async (enc, key) => decapsulate(enc, key),
});
