const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Length-prefixed: u16be(length) ‖ bytes (docs/spec/key-hierarchy.md). */
export const lp = (value: string | Uint8Array): Uint8Array => {
  const bytes = typeof value === "string" ? utf8(value) : value;
  if (bytes.length > 0xffff) throw new RangeError("a length-prefixed value holds at most 65,535 bytes");
  return concat(Uint8Array.of(bytes.length >>> 8, bytes.length & 0xff), bytes);
};

export const u32be = (value: number): Uint8Array => {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new RangeError("not an unsigned 32-bit number");
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

export const u64be = (value: number): Uint8Array => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("not a whole number from 0 up to 2^53 − 1");
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
};

/** The bytes of canonical base64 (`base64`) or unpadded base64url; `undefined` for anything else. */
export const decode = (text: string, encoding: "base64" | "base64url"): Uint8Array | undefined => {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
};

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
