import { AEAD_AES_256_GCM, type AEADFactory, CipherSuite, KDF_HKDF_SHA256, type KDFFactory } from "hpke";
import { concat } from "./bytes.ts";
import { hmacSha256, NONCE_LENGTH, openAead, sealAead } from "./crypto.ts";
import { xWing } from "./x-wing.ts";

const DIGEST_LENGTH = 32;
const NO_SALT = new Uint8Array(DIGEST_LENGTH);

/** HKDF-SHA-256 (RFC 5869) without Web Crypto's import of a key for each of its HMACs. */
const hkdfSha256: KDFFactory = () => ({
  ...KDF_HKDF_SHA256(),
  Extract: async (salt, secret) => hmacSha256(salt.length === 0 ? NO_SALT : salt, secret),
  Expand: async (key, info, length) => {
    const blocks: Uint8Array[] = [];
    for (let count = 1; (count - 1) * DIGEST_LENGTH < length; count += 1) {
      blocks.push(hmacSha256(key, concat([blocks.at(-1) ?? new Uint8Array(0), info, Uint8Array.of(count)])));
    }
    return concat(blocks).slice(0, length);
  },
});

/** AES-256-GCM (NIST SP 800-38D) as HPKE has it: the nonce is not part of the ciphertext. */
const aes256Gcm: AEADFactory = () => ({
  ...AEAD_AES_256_GCM(),
  Seal: async (key, nonce, aad, plaintext) => sealAead({ key, aad, nonce }, plaintext).slice(NONCE_LENGTH),
  Open: async (key, nonce, aad, ciphertext) => openAead(key, aad, concat([nonce, ciphertext])),
});

/** HPKE (RFC 9180) of a release: X-Wing, HKDF-SHA-256, AES-256-GCM. The construction is hpke's, its parts node:crypto's. */
export const releaseSuite = new CipherSuite(xWing, hkdfSha256, aes256Gcm);
