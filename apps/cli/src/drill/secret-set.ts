/** A candidate is as long as a 256-bit key. */
export const KEY_BYTES = 32;
/** So many places for each candidate, most of them empty, so that looking one up ends soon. */
const SPREAD = 2;

/** Different candidates for a key, in the order in which they were found. */
export type Secrets = Iterable<Buffer> & {
  readonly size: number;
  readonly first: (most: number) => Buffer[];
};

export type SecretSet = Secrets & {
  readonly isFull: () => boolean;
  /** Takes a copy of these 32 bytes, unless they are there already or the set is full. */
  readonly add: (bytes: Buffer) => void;
};

/**
 * Holds at most `most` candidates, one after the other in one piece of memory that is filled as they come: half a million
 * objects would take ten times as much.
 */
export function createSecretSet(most: number): SecretSet {
  const kept = Buffer.alloc(most * KEY_BYTES);
  /** At the place that its hash points to, or soon after it: the how-manieth a candidate is; 0 where none is. */
  const places = new Uint32Array(2 ** Math.ceil(Math.log2(SPREAD * most)));
  const mask = places.length - 1;
  let size = 0;
  const at = (position: number) => kept.subarray(position * KEY_BYTES, (position + 1) * KEY_BYTES);
  const isFull = () => size >= most;
  const add = (bytes: Buffer) => {
    if (isFull()) return;
    let place = hashOf(bytes) & mask;
    for (let taken = places[place] ?? 0; taken > 0; taken = places[place] ?? 0) {
      if (bytes.compare(kept, (taken - 1) * KEY_BYTES, taken * KEY_BYTES) === 0) return;
      place = (place + 1) & mask;
    }
    kept.set(bytes, size * KEY_BYTES);
    size += 1;
    places[place] = size;
  };
  return {
    add,
    isFull,
    get size() {
      return size;
    },
    first: (count) => Array.from({ length: Math.min(count, size) }, (_, position) => at(position)),
    *[Symbol.iterator]() {
      for (let position = 0; position < size; position += 1) yield at(position);
    },
  };
}

/** FNV-1a over the bytes, its high bits folded into the low ones. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
