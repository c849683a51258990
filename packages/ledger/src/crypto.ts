import { sha256 } from "#crypto";

// package.json decides which platform this is: Node, or anything else.
export {
  ed25519PrivateKey,
  ed25519PublicKey,
  ed25519RawPublicKey,
  nativeMlDsa44,
  openAead,
  sealAead,
  sha256,
  sha256Into,
  signEd25519,
  verifyEd25519,
} from "#crypto";
export { GCM_TAG_LENGTH, type MlDsa44Verify, NONCE_LENGTH, type PlatformKey } from "./platform/types.ts";

export const DIGEST_LENGTH = 32;
const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) for 32-byte keys. Built on the one-shot hash because Node's `createHmac` costs five times as
 * much per call, and an entry needs twelve.
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
