import { constants, gunzipSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import { perceptualHash } from "./perceptual-hash.ts";
import type { ByteSearch } from "./search-bytes.ts";
import { WINDOW_BYTES } from "./windows.ts";

const LARGEST_PART_BYTES = 512 << 10;
const WEBP = Buffer.from("WEBPVP8");
const WEBP_MARK_AT = 8;
const IMAGE_MARKS = [Buffer.from([0xff, 0xd8, 0xff]), Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), WEBP];
const DEFLATE_MARKS = [Buffer.from([0x1f, 0x8b, 0x08]), Buffer.from("stream\n"), Buffer.from("stream\r\n")];

/** What one window holds: people by name or number, and the perceptual hashes of the images in it. */
export type WindowFindings = { readonly people: ReadonlySet<number>; readonly images: readonly bigint[] };

/** Searches one window: its bytes, what lies compressed in it, and every image. */
export async function searchWindow(window: Buffer, searchBytes: ByteSearch): Promise<WindowFindings> {
  const people = new Set<number>();
  searchBytes(window, people);
  for (const inflated of inflateParts(window)) searchBytes(inflated, people);
  const images: bigint[] = [];
  for (const { at, mark } of placesOf(window, IMAGE_MARKS)) {
    const start = Math.max(0, mark === WEBP ? at - WEBP_MARK_AT : at);
    const part = window.subarray(start, start + LARGEST_PART_BYTES);
    const hash = await perceptualHash(sharp(part, { failOn: "none" })).catch(() => undefined);
    if (hash !== undefined) images.push(hash);
  }
  return { people, images };
}

function* placesOf(bytes: Buffer, marks: readonly Buffer[]): Generator<{ at: number; mark: Buffer }> {
  for (const mark of marks) {
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) yield { at, mark };
  }
}

/** What lies compressed inside: gzip members and the streams of PDF files, as far as they go in this window. */
function* inflateParts(bytes: Buffer): Generator<Buffer> {
  for (const { at, mark } of placesOf(bytes, DEFLATE_MARKS)) {
    const gzip = mark[0] === 0x1f;
    const part = bytes.subarray(gzip ? at : at + mark.length, at + LARGEST_PART_BYTES);
    const options = { maxOutputLength: WINDOW_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
    try {
      yield gzip ? gunzipSync(part, options) : inflateSync(part, options);
    } catch {
      // not compressed data: the mark met by chance
    }
  }
}
