import { SealingError } from "./sealing-error.ts";

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 of a text; throws `invalid-input` for lone surrogates, which would silently become one and the same character. */
export const utf8 = (text: string): Uint8Array => {
  if (!text.isWellFormed()) throw new SealingError("invalid-input", "a text has a lone surrogate");
  return encoder.encode(text);
};

/** The text, or `undefined` where the bytes are not valid UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
};

export const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
};

/** u16be(length) ‖ bytes; throws `invalid-input` above 65,535 bytes. */
const lengthPrefixed = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length > 0xffff)
    throw new SealingError("invalid-input", "a length-prefixed value holds up to 65,535 bytes");
  const out = new Uint8Array(2 + bytes.length);
  out[0] = bytes.length >>> 8;
  out[1] = bytes.length & 0xff;
  out.set(bytes, 2);
  return out;
};

export const lengthPrefixedText = (text: string): Uint8Array => lengthPrefixed(utf8(text));

export const u32be = (value: number): Uint8Array => {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new SealingError("invalid-input", "a count must be a whole number from 0 to 2^32 − 1");
  }
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
};

export const readU32be = (bytes: Uint8Array, offset: number): number =>
  (((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)) >>>
  0;

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

/** Throws `invalid-input` unless the key has exactly 32 bytes. */
export const assertKey = (key: Uint8Array, what: string): void => {
  if (key.length !== 32) throw new SealingError("invalid-input", `${what} must be 32 bytes long`);
};

/** Whether all bytes from `offset` on are zero. */
export const isZeroFrom = (bytes: Uint8Array, offset: number): boolean => {
  for (let at = offset; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
};
