import { concat, fromBase64, toBase64, toHex, utf8 } from "../bytes.ts";
import { ed25519PublicKey, type PlatformKey, sha256, verifyEd25519 } from "../crypto.ts";
import { LedgerError } from "../error.ts";

/** The signature type byte of Ed25519 notes (C2SP signed-note, "Signature types"). */
export const ED25519_TYPE = 0x01;
const PUBLIC_KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;

/** A key by which signed notes are verified. `keyId` is eight lower-case hex digits. */
export type VerifierKey = {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly key: PlatformKey;
};

// Unicode White_Space, which Go's unicode.IsSpace tests; \s adds U+FEFF and lacks U+0085.
const SPACES = /[\s\u0085]/u;
const CONTROLS = /\p{Cc}/u;

/** Whether a text may be a key's name: not empty, no Unicode space, no plus, no control character. */
export const isKeyName = (name: string): boolean =>
  name !== "" && name.isWellFormed() && !SPACES.test(name) && !CONTROLS.test(name) && !name.includes("+");

/** The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), in lower-case hex. */
export const keyIdOf = (name: string, publicKey: Uint8Array, type = ED25519_TYPE): string =>
  toHex(sha256(concat([utf8(name), Uint8Array.of(0x0a, type), publicKey])).subarray(0, 4));

/** `name+keyid+base64(0x01 ‖ public key)`, the form in which keys are handed around. */
export const encodeVerifierKey = (name: string, publicKey: Uint8Array): string => {
  if (publicKey.length !== PUBLIC_KEY_LENGTH) throw malformed("an Ed25519 public key is 32 bytes long");
  return encodeTypedKey({ name, type: ED25519_TYPE, publicKey });
};

/** Any verifier key's parts: `type` is the signature type byte. */
export type TypedKey = { readonly name: string; readonly type: number; readonly publicKey: Uint8Array };

export const encodeTypedKey = ({ name, type, publicKey }: TypedKey): string => {
  if (!isKeyName(name)) throw malformed("its name is empty, or has a space, a plus or a control character");
  return `${name}+${keyIdOf(name, publicKey, type)}+${toBase64(concat([Uint8Array.of(type), publicKey]))}`;
};

/** Reads a verifier key of any type whose id is made as C2SP signed-note recommends; throws `verifier-key-malformed`. */
export const parseTypedKey = (text: string): TypedKey & { readonly keyId: string } => {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text);
  const [, name = "", keyId = "", encoded = ""] = match ?? [];
  if (match === null || !isKeyName(name)) throw malformed('it must read "name+keyid+base64", keyid being 8 hex digits');
  const bytes = fromBase64(encoded);
  if (bytes === undefined) throw malformed("its base64 is not canonical");
  const type = bytes[0] ?? 0;
  const publicKey = bytes.slice(1);
  if (keyIdOf(name, publicKey, type) !== keyId) throw malformed("its id is not the hash of its name and key");
  return { name, keyId, type, publicKey };
};

/** Reads a verifier key; throws `verifier-key-malformed`, also for an id that is not the hash of name and key. */
export const parseVerifierKey = (text: string): VerifierKey => {
  const { name, keyId, type, publicKey } = parseTypedKey(text);
  if (type !== ED25519_TYPE || publicKey.length !== PUBLIC_KEY_LENGTH) {
    throw malformed("only Ed25519 keys (type 01, 32 bytes) may stand here");
  }
  return { name, keyId, publicKey, key: ed25519PublicKey(publicKey) };
};

/** Whether the key signed exactly these bytes (Ed25519, RFC 8032), for what is signed outside notes. Never throws. */
export const verifyBytes = ({ key }: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === SIGNATURE_LENGTH && verifyEd25519(key, message, signature);

const malformed = (why: string): LedgerError => new LedgerError("verifier-key-malformed", `verifier key: ${why}`);
