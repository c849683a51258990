/** Whole numbers and whose they are, in memory that threads share: the keys stand in ascending order. */
export type Lookup = { readonly keys: Float64Array; readonly people: Uint32Array };

/** Keys and beside each of them whose it is; several people may have one key. */
export type Owned = { readonly keys: number[]; readonly people: number[] };

const NOBODY = new Uint32Array(0);

export function createLookup(owned: Owned): Lookup {
  const order = Uint32Array.from(owned.keys.keys()).sort((a, b) => keyAt(owned, a) - keyAt(owned, b) || a - b);
  const keys = new Float64Array(new SharedArrayBuffer(order.length * Float64Array.BYTES_PER_ELEMENT));
  const people = new Uint32Array(new SharedArrayBuffer(order.length * Uint32Array.BYTES_PER_ELEMENT));
  for (const [place, from] of order.entries()) {
    keys[place] = keyAt(owned, from);
    people[place] = owned.people[from] ?? 0;
  }
  return { keys, people };
}

const keyAt = ({ keys }: Owned, place: number): number => keys[place] ?? 0;

/** All who have this key, in the order in which they were given; empty when nobody has it. */
export function peopleOf({ keys, people }: Lookup, key: number): Uint32Array {
  const from = firstPlace(keys, key);
  if (keys[from] !== key) return NOBODY;
  let to = from + 1;
  while (keys[to] === key) to += 1;
  return people.subarray(from, to);
}

/** The first place of a key that is not smaller. */
function firstPlace(keys: Float64Array, key: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
