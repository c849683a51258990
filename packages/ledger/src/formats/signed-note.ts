import { concat, decodeUtf8, fromBase64, fromHex, toBase64, toHex, utf8 } from "../bytes.ts";
import { ed25519PrivateKey, ed25519RawPublicKey, signEd25519, verifyEd25519 } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { encodeVerifierKey, isKeyName, keyIdOf, type VerifierKey } from "./verifier-key.ts";

/** Most signatures that a note may carry. */
export const MAX_NOTE_SIGNATURES = 16;
/** Longest note, in bytes. */
export const MAX_NOTE_BYTES = 1_048_576;

/** One signature line. `keyId` is eight lower-case hex digits; `signature` is what follows the id. */
export type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Uint8Array };
/** A note as read: nothing in it is to be believed before `verifyNote`. The text ends in a newline. */
export type SignedNote = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** Something that signs note texts under one name and key id. */
export type NoteSigner = {
  readonly name: string;
  readonly keyId: string;
  readonly verifierKey: string;
  readonly sign: (text: Uint8Array) => Uint8Array;
};

/** Which signatures hold, or why the note is not to be believed. */
export type NoteVerdict =
  | { readonly ok: true; readonly verified: readonly NoteSignature[]; readonly unknown: readonly NoteSignature[] }
  | { readonly ok: false; readonly reason: "no-known-signature" | "key-id-mismatch" | "bad-signature" };

const SIGNATURE_HEAD = "— ";

/** A signer by an Ed25519 seed of 32 bytes (RFC 8032); throws `signer-invalid`. */
export const createNoteSigner = (name: string, seed: Uint8Array): NoteSigner => {
  if (!isKeyName(name)) throw new LedgerError("signer-invalid", "a signer's name may hold no space, plus or control");
  if (seed.length !== 32) throw new LedgerError("signer-invalid", "an Ed25519 seed is 32 bytes long");
  const privateKey = ed25519PrivateKey(seed);
  const publicKey = ed25519RawPublicKey(privateKey);
  return {
    name,
    keyId: keyIdOf(name, publicKey),
    verifierKey: encodeVerifierKey(name, publicKey),
    sign: (text) => signEd25519(privateKey, text),
  };
};

const malformed = (why: string): LedgerError => new LedgerError("note-malformed", `signed note: ${why}`);

// biome-ignore lint/suspicious/noControlCharactersInRegex: C2SP signed-note forbids exactly these.
const FORBIDDEN = /[\u0000-\u0009\u000b-\u001f]/;

const assertText = (text: string): void => {
  if (!text.endsWith("\n")) throw malformed("its text must end in a newline");
  if (FORBIDDEN.test(text)) throw malformed("a control character other than newline (CR, tab …) stands in it");
  if (!text.isWellFormed()) throw malformed("it is not valid UTF-8");
};

const decodeText = (bytes: Uint8Array): string => {
  if (bytes.length > MAX_NOTE_BYTES) throw malformed(`it is longer than ${MAX_NOTE_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed("it is not valid UTF-8");
  assertText(text);
  return text;
};

/** Reads a note strictly (C2SP signed-note, "Format"); throws `note-malformed` with the reason. */
export const parseSignedNote = (bytes: Uint8Array): SignedNote => {
  const whole = decodeText(bytes);
  const split = whole.lastIndexOf("\n\n");
  if (split < 0) throw malformed("no blank line parts its text from its signatures");
  return { text: whole.slice(0, split + 1), signatures: parseSignatureLines(whole.slice(split + 2)) };
};

/** Reads signature lines that stand apart from their text; throws `note-malformed`. */
export const parseSignatureLines = (lines: string): readonly NoteSignature[] => {
  assertText(lines);
  const rows = lines.slice(0, -1).split("\n");
  if (rows.length > MAX_NOTE_SIGNATURES) throw malformed(`it has more than ${MAX_NOTE_SIGNATURES} signatures`);
  const signatures = rows.map(parseSignatureLine);
  if (new Set(signatures.map(keyOf)).size !== signatures.length) throw malformed("two signatures name the same key");
  return signatures;
};

const keyOf = ({ name, keyId }: { name: string; keyId: string }): string => `${name}+${keyId}`;

const parseSignatureLine = (row: string): NoteSignature => {
  const [name = "", encoded = "", ...rest] = row.startsWith(SIGNATURE_HEAD) ? row.slice(2).split(" ") : [];
  if (rest.length > 0 || !isKeyName(name)) throw malformed('a signature line must read "— name base64"');
  const bytes = fromBase64(encoded);
  if (bytes === undefined) throw malformed("the base64 of a signature is not canonical");
  if (bytes.length < 5) throw malformed("a signature is shorter than key id and one byte");
  return { name, keyId: toHex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
};

/**
 * Verifies every signature by a known key (name and id both match). Refused when one of these is wrong
 * (`bad-signature`), or there is none: `key-id-mismatch` if a name at least is known, else `no-known-signature`.
 * Signatures of unknown keys are handed back untouched.
 */
export const verifyNote = (note: SignedNote, keys: readonly VerifierKey[]): NoteVerdict => {
  const text = utf8(note.text);
  const verified: NoteSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const signature of note.signatures) {
    const known = keys.find((key) => keyOf(key) === keyOf(signature));
    if (known === undefined) unknown.push(signature);
    else if (signature.signature.length === 64 && verifyEd25519(known.key, text, signature.signature)) {
      verified.push(signature);
    } else return { ok: false, reason: "bad-signature" };
  }
  if (verified.length > 0) return { ok: true, verified, unknown };
  const named = unknown.some(({ name }) => keys.some((key) => key.name === name));
  return { ok: false, reason: named ? "key-id-mismatch" : "no-known-signature" };
};

/** One signature line, newline included. */
export const encodeSignatureLine = ({ name, keyId, signature }: NoteSignature): string =>
  `${SIGNATURE_HEAD}${name} ${toBase64(concat([fromHex(keyId), signature]))}\n`;

/** The bytes of a note; the inverse of `parseSignedNote`. */
export const encodeSignedNote = ({ text, signatures }: SignedNote): Uint8Array => {
  assertText(text);
  const lines = signatures.map(encodeSignatureLine).join("");
  parseSignatureLines(lines);
  return utf8(`${text}\n${lines}`);
};

/** Signs a text that ends in a newline; throws `note-malformed` for a text that a note cannot hold. */
export const signNote = (text: string, signers: readonly NoteSigner[]): Uint8Array =>
  encodeSignedNote({
    text,
    signatures: signers.map(({ name, keyId, sign }) => ({ name, keyId, signature: sign(utf8(text)) })),
  });

/** Signature lines over exactly these bytes, to be kept apart from them. Throws `note-malformed` as `signNote` does. */
export const signatureLines = (text: Uint8Array, signers: readonly NoteSigner[]): string => {
  decodeText(text);
  return signers.map(({ name, keyId, sign }) => encodeSignatureLine({ name, keyId, signature: sign(text) })).join("");
};

/** Verifies lines of `signatureLines` as `verifyNote` does. Throws `note-malformed` for bytes or lines of wrong form. */
export const verifySignatureLines = (text: Uint8Array, lines: string, keys: readonly VerifierKey[]): NoteVerdict =>
  verifyNote({ text: decodeText(text), signatures: parseSignatureLines(lines) }, keys);
