import { hash } from "node:crypto";

/** Bytes of base64url; what the schema let through has its alphabet. */
export const fromBase64url = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64url"));
export const toBase64url = (bytes: Uint8Array): string => view(bytes).toString("base64url");

/** Bytes of standard base64, as proofs are written; `undefined` unless it is canonical. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? Uint8Array.from(bytes) : undefined;
};

export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
export const toHex = (bytes: Uint8Array): string => view(bytes).toString("hex");

export const sha256Hex = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");
export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(hash("sha256", bytes, "buffer"));

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
