import { sha256 } from "./crypto.ts";
import { decode, toBase64 } from "./encoding.ts";

/** The label of every signature of this protocol (RFC 9421, section 4). */
export const LABEL = "tipstaff";

const DIGEST = /^sha-256=:([A-Za-z0-9+/]{43}=):$/;
const SIGNATURE = /^tipstaff=:([A-Za-z0-9+/]{86}==):$/;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a text may be a `keyid`: short, and nothing that a structured field would have to escape. */
export const isKeyId = (text: string): boolean => KEY_ID.test(text);

/** A message's content: its bytes, or, where it is a file too large for memory, their SHA-256. */
export type Content = Uint8Array | { readonly sha256: Uint8Array };

/** SHA-256 of a content. */
export const digestOf = (content: Content): Uint8Array => ("sha256" in content ? content.sha256 : sha256(content));

/** The only form of `content-digest` used here (RFC 9530, section 2): one sha-256 of the whole body. */
export const encodeContentDigest = (content: Content): string => `sha-256=:${toBase64(digestOf(content))}:`;

/** The digest that the field states; `undefined` when it is not exactly one canonical sha-256. */
export const parseContentDigest = (field: string): Uint8Array | undefined => {
  const [, encoded] = DIGEST.exec(field) ?? [];
  return encoded === undefined ? undefined : decode(encoded, "base64");
};

/** The `signature` field: a dictionary of one byte sequence (RFC 9651, sections 3.2 and 3.3.5). */
export const encodeSignature = (signature: Uint8Array): string => `${LABEL}=:${toBase64(signature)}:`;

/** The 64 bytes of the one signature; `undefined` for any other field. */
export const parseSignature = (field: string): Uint8Array | undefined => {
  const [, encoded] = SIGNATURE.exec(field) ?? [];
  return encoded === undefined ? undefined : decode(encoded, "base64");
};

/** The member's own text in the `signature` field, as it stands in a reply's signature base. */
export const signatureMember = (field: string): string | undefined =>
  parseSignature(field) === undefined ? undefined : field.slice(LABEL.length + 1);
