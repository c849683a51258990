const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const KEY_BYTES = 32;
const ED25519_NOTE_TYPE = 1;
// RFC 8032 encodings, canonical or not, of the points of small order, sign bit cleared: anybody can sign for such a key.
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

const decodeBase64 = (text: string): Uint8Array | undefined => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  const digits = text.replace(/=+$/, "");
  const out: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const digit of digits) {
    buffer = ((buffer << 6) | ALPHABET.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push((buffer >> bits) & 0xff);
    }
  }
  return Uint8Array.from(out);
};

const encodeBase64 = (bytes: Uint8Array): string => {
  let out = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET[(group >> shift) & 63]).join("");
    const kept = Math.min(3, bytes.length - at) + 1;
    out += digits.slice(0, kept).padEnd(4, "=");
  }
  return out;
};

const isSmallOrder = (key: Uint8Array): boolean => {
  const positive = Uint8Array.from(key, (byte, at) => (at === KEY_BYTES - 1 ? byte & 0x7f : byte));
  return SMALL_ORDER.has(Array.from(positive, (byte) => byte.toString(16).padStart(2, "0")).join(""));
};

/**
 * Reads an Ed25519 public key, written as the base64 of its 32 bytes or as a signed-note verifier key
 * (`name+hash+base64(0x01 ‖ key)`, C2SP signed-note), into the base64 of its 32 bytes. The hash in a verifier key is not
 * checked here. Undefined for anything else, and for points of small order.
 */
export const parsePublicKey = (text: string): string | undefined => {
  const note = /^[^\s+]{1,200}\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(text);
  const bytes = decodeBase64(note?.[1] ?? text);
  const key = note === null ? bytes : bytes?.[0] === ED25519_NOTE_TYPE ? bytes.slice(1) : undefined;
  if (key?.length !== KEY_BYTES || isSmallOrder(key)) return undefined;
  const canonical = encodeBase64(key);
  return note === null && canonical !== text ? undefined : canonical;
};
