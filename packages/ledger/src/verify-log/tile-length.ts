import { type StoredFile, tileLengthFault } from "../storage/tile-storage.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { Misfit } from "./misfit.ts";

/**
 * What does not fit first in a tile's file that has not the length of its hashes, held against those that it must begin
 * with; `undefined` where it has that length. `first`: the index of the entry under the first hash, at level 0.
 */
export const findInLength = (file: StoredFile, expected: Uint8Array, first?: number): Misfit | undefined => {
  const fault = tileLengthFault(file);
  if (fault === undefined) return undefined;
  const { path, bytes, width } = file;
  const length = Math.min(bytes.length, expected.length);
  const differs = expected.subarray(0, length).findIndex((byte, at) => byte !== bytes[at]);
  const from =
    Math.floor((differs < 0 ? Math.min(bytes.length, width * HASH_LENGTH) : differs) / HASH_LENGTH) * HASH_LENGTH;
  const at = from / HASH_LENGTH;
  const place = { kind: "tile", path } as const;
  if (at === width) return new Misfit({ ...place, bytes: { from, to: bytes.length }, message: fault });
  const to = differs < 0 ? width * HASH_LENGTH : from + HASH_LENGTH;
  const isEntry = first !== undefined && from < expected.length;
  const message = `${fault}; the first hash that it does not give is ${isEntry ? `that of entry ${first + at}` : `its hash ${at}`}`;
  return new Misfit({ ...place, ...(isEntry ? { index: first + at } : {}), bytes: { from, to }, message });
};
