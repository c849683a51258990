import { assertKey, decodeUtf8, isZeroFrom, readU32be, u32be, utf8 } from "./bytes.ts";
import { AEAD_OVERHEAD, NONCE_LENGTH, openAead, type RandomSource, sealAead, systemRandom } from "./crypto.ts";
import { SealingError } from "./sealing-error.ts";

/** Sizes to which a job's payload is padded, in bytes. */
export const JOB_BUCKETS: readonly number[] = [32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048].map(
  (kib) => kib * 1024,
);

/** What the recipient reads of one card: a JSON head, and the print-ready page file (PDF). */
export type JobPayload = { readonly head: unknown; readonly pages: Uint8Array };

/**
 * Seals one job under its own content key K of 32 bytes and its encoded context, padded to a bucket (docs/spec/key-hierarchy.md). Throws
 * `too-large` for a payload above the largest. `random` is for test vectors.
 */
export const sealJob = (input: {
  contentKey: Uint8Array;
  context: Uint8Array;
  head: unknown;
  pages: Uint8Array;
  random?: RandomSource;
}): Uint8Array => {
  const { contentKey, context, head, pages, random = systemRandom } = input;
  assertKey(contentKey, "a content key");
  const headBytes = utf8(JSON.stringify(head) ?? "null");
  const length = 8 + headBytes.length + pages.length;
  const bucket = JOB_BUCKETS.find((size) => size >= length);
  if (bucket === undefined) throw new SealingError("too-large", "a job's payload is larger than 2,048 KiB");
  const payload = new Uint8Array(bucket);
  payload.set(u32be(headBytes.length), 0);
  payload.set(headBytes, 4);
  payload.set(u32be(pages.length), 4 + headBytes.length);
  payload.set(pages, 8 + headBytes.length);
  const sealed = sealAead({ key: contentKey, aad: context, nonce: random(NONCE_LENGTH) }, payload);
  payload.fill(0);
  return sealed;
};

/**
 * Opens a job under K and its encoded context; throws `not-authentic` for another key or context, `malformed` for bytes that are
 * no job. `pages` is a view into memory that the caller should fill with zeros after use.
 */
export const openJob = (input: { contentKey: Uint8Array; context: Uint8Array; sealed: Uint8Array }): JobPayload => {
  const { contentKey, context, sealed } = input;
  assertKey(contentKey, "a content key");
  if (!JOB_BUCKETS.includes(sealed.length - AEAD_OVERHEAD)) throw malformed("its length is that of no bucket");
  const payload = openAead(contentKey, context, sealed);
  const headEnd = 4 + readU32be(payload, 0);
  const pagesStart = headEnd + 4;
  const pagesEnd = pagesStart + readU32be(payload, headEnd);
  if (pagesStart > payload.length || pagesEnd > payload.length) throw malformed("head or pages are cut short");
  if (!isZeroFrom(payload, pagesEnd)) throw malformed("its padding is not zero");
  return { head: parseHead(payload.subarray(4, headEnd)), pages: payload.subarray(pagesStart, pagesEnd) };
};

const malformed = (why: string): SealingError => new SealingError("malformed", `sealed job: ${why}`);

const parseHead = (bytes: Uint8Array): unknown => {
  const text = decodeUtf8(bytes);
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // Told below without the parser's words, which quote what they read.
  }
  throw malformed("its head is not JSON");
};
