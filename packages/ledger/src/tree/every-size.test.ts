import { beforeAll, describe, expect, test } from "vitest";
import { tileReaderOf } from "../storage/tile-storage.ts";
import { edgeRoot, emptyEdge, extendEdge } from "./edge.ts";
import { leafHash } from "./hashes.ts";
import { createProver, type Prover } from "./prover.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

const MAX = 600;
/** Up to here every bit of every hash of every claim is flipped. */
const EVERY_BIT = 20;
/** Up to here one bit of every hash of every claim; beyond, one bit of one hash of every claim, and of all of some. */
const EVERY_HASH = 100;
const BITS = 256;

const files = new Map<string, Uint8Array>();
const leaves = Array.from({ length: MAX }, (_, n) => leafHash(new TextEncoder().encode(`entry ${n}`)));
const roots: Uint8Array[] = [];
const provers = new Map<number, Prover>();
const none = new Uint8Array(0);

beforeAll(() => {
  const readTile = tileReaderOf({ read: async (path) => files.get(path) });
  for (let size = 0, edge = emptyEdge; size <= MAX; size++) {
    roots.push(edgeRoot(edge));
    provers.set(size, createProver({ size, readTile }));
    const step = extendEdge(edge, [new TextEncoder().encode(`entry ${size}`)]);
    for (const file of step.files) files.set(file.path, file.bytes);
    edge = step.edge;
  }
});

const proverOf = (size: number): Prover => {
  const prover = provers.get(size);
  if (prover === undefined) throw new Error("no such size");
  return prover;
};

const flip = (hash: Uint8Array, bit: number): Uint8Array => {
  const changed = Uint8Array.from(hash);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
};

/** The bits to flip of the hash number `place` of `places` in the claim about `at` in the tree of this size. */
const bitsOf = ({ size, at }: Which, { place, places }: { place: number; places: number }): readonly number[] => {
  if (size <= EVERY_BIT) return Array.from({ length: BITS }, (_, bit) => bit);
  // Of larger trees, all hashes for those places that differ most from size to size.
  const isChosen = at === (size * 7919) % size || at === (size * size) % 601 || at === size - 1;
  const isTouched = size <= EVERY_HASH || isChosen || place === (at + size) % places;
  return isTouched ? [(size * 31 + at * 13 + place * 97) % BITS] : [];
};
type Which = { readonly size: number; readonly at: number };

/** Every hash of a claim with one bit flipped: those of the proof, then the named ones. */
function* flips<T extends { readonly proof: readonly Uint8Array[] }>(
  claim: T,
  which: Which,
  names: readonly (keyof T)[],
) {
  const places = claim.proof.length + names.length;
  for (const [place, hash] of claim.proof.entries()) {
    for (const bit of bitsOf(which, { place, places })) {
      yield { ...claim, proof: claim.proof.with(place, flip(hash, bit)) };
    }
  }
  for (const [n, name] of names.entries()) {
    const hash = claim[name];
    if (!(hash instanceof Uint8Array)) throw new Error("no hash to flip");
    for (const bit of bitsOf(which, { place: claim.proof.length + n, places })) {
      yield { ...claim, [name]: flip(hash, bit) };
    }
  }
}

describe("for every tree of up to 600 entries", () => {
  test("the inclusion proof of every index verifies, and of one flipped bit does not", async () => {
    const wrong: string[] = [];
    let flipped = 0;
    for (let size = 1; size <= MAX; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await proverOf(size).inclusion(index);
        const claim = { index, size, leafHash: leaves[index] ?? none, root: roots[size] ?? none, proof };
        if (!verifyInclusion(claim)) wrong.push(`${index} of ${size} does not verify`);
        for (const changed of flips(claim, { size, at: index }, ["root", "leafHash"])) {
          flipped += 1;
          if (verifyInclusion(changed)) wrong.push(`${index} of ${size} verifies with a flipped bit`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(flipped).toBeGreaterThan(500_000);
  }, 240_000);

  test("the consistency proof from every smaller one verifies, and of one flipped bit does not", async () => {
    const wrong: string[] = [];
    let flipped = 0;
    for (let size = 1; size <= MAX; size++) {
      // All smaller sizes of small trees; of larger ones a stride that meets every remainder over the sizes.
      for (let oldSize = size <= 256 ? 1 : 1 + (size % 3); oldSize <= size; oldSize += size <= 256 ? 1 : 3) {
        const proof = await proverOf(size).consistency(oldSize);
        const claim = { oldSize, oldRoot: roots[oldSize] ?? none, size, root: roots[size] ?? none, proof };
        if (!verifyConsistency(claim)) wrong.push(`${oldSize} to ${size} does not verify`);
        for (const changed of flips(claim, { size, at: oldSize - 1 }, ["root", "oldRoot"])) {
          flipped += 1;
          if (verifyConsistency(changed)) wrong.push(`${oldSize} to ${size} verifies with a flipped bit`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(flipped).toBeGreaterThan(400_000);
  }, 240_000);
});
