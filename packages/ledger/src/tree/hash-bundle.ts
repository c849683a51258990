import { u16be } from "../bytes.ts";
import { sha256Into } from "../crypto.ts";
import { HASH_LENGTH } from "./hashes.ts";
import { TILE_WIDTH } from "./paths.ts";

/**
 * Where each entry of a bundle of this width begins, its length included, and, last, where the bundle ends; `undefined`
 * where it is no such bundle (`parseBundle` says why).
 */
export const bundleOffsets = (bytes: Uint8Array, width: number): Uint32Array | undefined => {
  const offsets = new Uint32Array(width + 1);
  let end = 0;
  for (let at = 0; at < width; at++) {
    if (end + 2 > bytes.length) return undefined;
    end += 2 + u16be(bytes, end);
    offsets[at + 1] = end;
  }
  return end === bytes.length ? offsets : undefined;
};

let leafInput = new Uint8Array(1);

/** The leaf hashes of the first `width` entries of a bundle, one after another (RFC 6962, section 2.1). */
export const hashBundle = (bytes: Uint8Array, offsets: Uint32Array, width: number): Uint8Array => {
  const hashes = new Uint8Array(width * HASH_LENGTH);
  for (let at = 0; at < width; at++) {
    const from = (offsets[at] ?? 0) + 2;
    const to = offsets[at + 1] ?? from;
    // Entries mostly have one length, and a view of the same buffer serves them all.
    if (leafInput.length !== 1 + to - from) leafInput = new Uint8Array(1 + to - from);
    leafInput.set(bytes.subarray(from, to), 1);
    sha256Into(leafInput, hashes, at * HASH_LENGTH);
  }
  return hashes;
};

// The hashes of a row lie one after another behind the byte 01. The byte before a later pair belongs to a pair that was
// hashed already, so it can become that pair's 01: nothing is copied, and the same views serve every row of every tile.
const rows = new Uint8Array(1 + TILE_WIDTH * HASH_LENGTH);
const pairs = Array.from({ length: TILE_WIDTH / 2 }, (_, at) =>
  rows.subarray(2 * HASH_LENGTH * at, 2 * HASH_LENGTH * (at + 1) + 1),
);

/** The hash over the 256 hashes of a full tile (RFC 6962, section 2.1). */
export const fullTileRoot = (hashes: Uint8Array): Uint8Array => {
  rows.set(hashes, 1);
  for (let width = TILE_WIDTH; width > 1; width /= 2) {
    for (let at = 0; at < width / 2; at++) {
      const pair = pairs[at] ?? rows;
      pair[0] = 0x01;
      sha256Into(pair, rows, 1 + HASH_LENGTH * at);
    }
  }
  return rows.slice(1, 1 + HASH_LENGTH);
};

/** Single hashes out of a tile, as views of its bytes. */
export const hashesOf = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: bytes.length / HASH_LENGTH }, (_, i) => bytes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH));
