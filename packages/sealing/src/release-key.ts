import type { Key } from "hpke";
import { assertKey } from "./bytes.ts";
import { releaseSuite as suite } from "./release-suite.ts";
import { SealingError } from "./sealing-error.ts";

/** Bytes of a one-time X-Wing public key, of an encapsulated secret, and of a sealed content key. */
const ONE_TIME_PUBLIC_KEY_LENGTH = 1216;
const ENCAPSULATED_SECRET_LENGTH = 1120;
const SEALED_CONTENT_KEY_LENGTH = 48;

/** One fresh X-Wing key pair for one release. The private key cannot be exported: it lives in this process's memory. */
export type OneTimeKey = { readonly publicKey: Uint8Array; readonly privateKey: Key };

export const generateOneTimeKey = async (): Promise<OneTimeKey> => {
  const pair = await suite.GenerateKeyPair(false);
  return { publicKey: await suite.SerializePublicKey(pair.publicKey), privateKey: pair.privateKey };
};

/**
 * Seals a job's content key to a one-time key: HPKE base mode (RFC 9180), X-Wing (0x647a), HKDF-SHA-256, AES-256-GCM,
 * empty AAD; `info` is the release protocol's (docs/spec/release-protocol.md, section 4). Throws `malformed` for bytes
 * that are no X-Wing public key, and for nothing else.
 */
export const sealRelease = async (input: {
  publicKey: Uint8Array;
  info: Uint8Array;
  contentKey: Uint8Array;
}): Promise<{ enc: Uint8Array; sealed: Uint8Array }> => {
  assertKey(input.contentKey, "a content key");
  if (input.publicKey.length !== ONE_TIME_PUBLIC_KEY_LENGTH) throw malformed("a one-time public key", 1216);
  const seal = async (publicKey: Key) => suite.Seal(publicKey, input.contentKey, { info: input.info });
  try {
    const answer = await seal(await suite.DeserializePublicKey(input.publicKey));
    return { enc: answer.encapsulatedSecret, sealed: answer.ciphertext };
  } catch (cause) {
    // A key of our own tells a bad key from a machine that cannot seal at all; then its error is thrown.
    await seal((await suite.GenerateKeyPair(false)).publicKey);
    throw new SealingError("malformed", "these bytes are no X-Wing public key", { cause });
  }
};

/** Opens a content key; throws `not-authentic` for another key or info, `malformed` for bytes of another length. */
export const openRelease = async (input: {
  privateKey: Key;
  info: Uint8Array;
  enc: Uint8Array;
  sealed: Uint8Array;
}): Promise<Uint8Array> => {
  if (input.enc.length !== ENCAPSULATED_SECRET_LENGTH) throw malformed("an encapsulated secret", 1120);
  if (input.sealed.length !== SEALED_CONTENT_KEY_LENGTH) throw malformed("a sealed content key", 48);
  try {
    return await suite.Open(input.privateKey, input.enc, input.sealed, { info: input.info });
  } catch (cause) {
    throw new SealingError("not-authentic", "the sealed content key is for another key or request", { cause });
  }
};

const malformed = (what: string, length: number): SealingError =>
  new SealingError("malformed", `${what} must be ${length} bytes long`);
