import { z } from "zod";

/** A UUID in lower case. */
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
/** A SHA-256 digest in lower-case hex. */
export const digestHex = z.string().regex(/^[0-9a-f]{64}$/);
/** Bytes in base64url without padding; `length` in bytes where it is fixed. */
export const bytes = (length?: number) => {
  const pattern = z.string().regex(/^[A-Za-z0-9_-]*$/);
  return length === undefined ? pattern : pattern.length(Math.ceil((length * 4) / 3));
};
/** An instant, RFC 3339 in UTC with milliseconds. */
export const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
/** A short name of our own making: recipient, line, blank serial. */
export const slug = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
