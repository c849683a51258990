import { closeSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import type { KnownPeople } from "./known-people.ts";
import { hammingDistance, perceptualHash } from "./perceptual-hash.ts";
import { searchBytes } from "./search-text.ts";

const WINDOW_BYTES = 4 << 20;
const OVERLAP_BYTES = 512 << 10;
/** Portraits of different people differ in about 32 of 64 bits; a re-encoded one in a handful. */
const SAME_PORTRAIT_BITS = 6;
const LARGEST_IMAGE_BYTES = 512 << 10;
const IMAGE_MARKS = [
  Buffer.from([0xff, 0xd8, 0xff]),
  Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
  Buffer.from("WEBPVP8"),
];
const DEFLATE_MARKS = [Buffer.from([0x1f, 0x8b, 0x08]), Buffer.from("stream\n"), Buffer.from("stream\r\n")];

export type SearchResult = { readonly found: ReadonlySet<number>; readonly files: number; readonly bytes: number };

/** Searches every file below these folders for every known person; says how much was read. */
export async function searchFolders(folders: readonly string[], known: KnownPeople): Promise<SearchResult> {
  const found = new Set<number>();
  let files = 0;
  let bytes = 0;
  for (const file of folders.flatMap(filesBelow)) {
    files += 1;
    for (const window of windowsOf(file)) {
      bytes += window.length;
      searchBytes(window, known, found);
      for (const inflated of inflateParts(window)) searchBytes(inflated, known, found);
      await searchPortraits(window, known, found);
    }
  }
  return { found, files, bytes };
}

export function filesBelow(place: string): string[] {
  const stat = lstatSync(place);
  if (stat.isFile()) return [place];
  return stat.isDirectory() ? readdirSync(place).flatMap((name) => filesBelow(join(place, name))) : [];
}

/** The file's bytes in overlapping windows, so that nothing is missed at a border and memory stays flat. */
export function* windowsOf(file: string): Generator<Buffer> {
  const handle = openSync(file, "r");
  try {
    const buffer = Buffer.allocUnsafe(WINDOW_BYTES);
    for (let position = 0; ; position += WINDOW_BYTES - OVERLAP_BYTES) {
      const length = readSync(handle, buffer, 0, WINDOW_BYTES, position);
      if (length > 0) yield buffer.subarray(0, length);
      if (length < WINDOW_BYTES) return;
    }
  } finally {
    closeSync(handle);
  }
}

function* placesOf(bytes: Buffer, marks: readonly Buffer[]): Generator<{ at: number; mark: Buffer }> {
  for (const mark of marks) {
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) yield { at, mark };
  }
}

/** What lies compressed inside: gzip members and the streams of PDF files. */
function* inflateParts(bytes: Buffer): Generator<Buffer> {
  for (const { at, mark } of placesOf(bytes, DEFLATE_MARKS)) {
    const gzip = mark[0] === 0x1f;
    const part = bytes.subarray(gzip ? at : at + mark.length, at + LARGEST_IMAGE_BYTES);
    try {
      yield gzip ? gunzipSync(part) : inflateSync(part, { maxOutputLength: WINDOW_BYTES });
    } catch {
      // not compressed data: the mark met by chance
    }
  }
}

async function searchPortraits(bytes: Buffer, known: KnownPeople, found: Set<number>): Promise<void> {
  for (const { at, mark } of placesOf(bytes, IMAGE_MARKS)) {
    const start = mark.toString("latin1") === "WEBPVP8" ? at - 8 : at;
    const part = bytes.subarray(Math.max(0, start), start + LARGEST_IMAGE_BYTES);
    const hash = await perceptualHash(sharp(part, { failOn: "none" })).catch(() => undefined);
    if (hash === undefined) continue;
    for (const portrait of known.portraits) {
      if (hammingDistance(hash, portrait.hash) <= SAME_PORTRAIT_BITS) found.add(portrait.person);
    }
  }
}
