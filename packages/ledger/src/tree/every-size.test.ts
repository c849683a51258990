import { beforeAll, describe, expect, test } from "vitest";
import { tileReaderOf } from "../storage/tile-storage.ts";
import { edgeRoot, emptyEdge, extendEdge } from "./edge.ts";
import { leafHash } from "./hashes.ts";
import { createProver, type Prover } from "./prover.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

const MAX = 600;
/** Up to here every bit of everything is flipped; beyond, one bit of each hash, another at each place. */
const EVERY_BIT = 9;

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

const bitsOf = (size: number, place: number): readonly number[] =>
  size <= EVERY_BIT ? Array.from({ length: 256 }, (_, bit) => bit) : [(size * 31 + place * 97) % 256];

/** Every hash of a claim with one bit flipped: those of the proof, then the named ones. */
function* flips<T extends { readonly proof: readonly Uint8Array[] }>(
  claim: T,
  size: number,
  names: readonly (keyof T)[],
) {
  for (const [at, hash] of claim.proof.entries()) {
    for (const bit of bitsOf(size, at)) yield { ...claim, proof: claim.proof.with(at, flip(hash, bit)) };
  }
  for (const name of names) {
    const hash = claim[name];
    if (hash instanceof Uint8Array) for (const bit of bitsOf(size, 64)) yield { ...claim, [name]: flip(hash, bit) };
  }
}

describe("for every tree of up to 600 entries", () => {
  test("the inclusion proof of every index verifies, and of one flipped bit does not", async () => {
    const wrong: string[] = [];
    for (let size = 1; size <= MAX; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await proverOf(size).inclusion(index);
        const claim = { index, size, leafHash: leaves[index] ?? none, root: roots[size] ?? none, proof };
        if (!verifyInclusion(claim)) wrong.push(`${index} of ${size} does not verify`);
        // Of larger trees, those indexes whose places differ most from size to size.
        if (size > EVERY_BIT && index !== (size * 7919) % size && index !== (size * size) % 601 && index !== size - 1)
          continue;
        for (const changed of flips(claim, size, ["root", "leafHash"])) {
          if (verifyInclusion(changed)) wrong.push(`${index} of ${size} verifies with a flipped bit`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  test("the consistency proof from every smaller one verifies, and of one flipped bit does not", async () => {
    const wrong: string[] = [];
    for (let size = 1; size <= MAX; size++) {
      // All smaller sizes of small trees; of larger ones a stride that meets every remainder over the sizes.
      for (let oldSize = 1; oldSize <= size; oldSize += size <= 130 ? 1 : 7) {
        const proof = await proverOf(size).consistency(oldSize);
        const claim = { oldSize, oldRoot: roots[oldSize] ?? none, size, root: roots[size] ?? none, proof };
        if (!verifyConsistency(claim)) wrong.push(`${oldSize} to ${size} does not verify`);
        if (size > EVERY_BIT && oldSize % 5 !== size % 5) continue;
        for (const changed of flips(claim, size, ["root", "oldRoot"])) {
          if (verifyConsistency(changed)) wrong.push(`${oldSize} to ${size} verifies with a flipped bit`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});
