import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { encodeCensusDetail, parseCensusDetail } from "./census-detail.ts";
import {
  buildCensusMap,
  type CensusProof,
  censusKey,
  censusLeaf,
  censusSalt,
  verifyCensusProof,
  verifyCount,
} from "./census-map.ts";

type HexLeaf = { key: string; commitment: string };
type Vectors = {
  maps: {
    people: ({ person: number; n: number; salt: string } & HexLeaf)[];
    root: string;
    proofs: { person: number; key: string; end: HexLeaf | null; siblings: string[] }[];
  }[];
};
const vectors: Vectors = JSON.parse(readFileSync(new URL("../../vectors/census.json", import.meta.url), "utf8"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const tagKey = (person: number): Uint8Array => createHash("sha256").update(`tipstaff test key tag ${person}`).digest();
const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, at) => (at === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe("a census's map", () => {
  test.each(vectors.maps.map((map) => [map.people.length, map] as const))(
    "is that of the vectors (%i people)",
    (_, map) => {
      const leaves = map.people.map(({ person, n }) => censusLeaf(tagKey(person), n));
      for (const [at, wanted] of map.people.entries()) {
        const leaf = leaves[at];
        if (!leaf) throw new Error("missing");
        expect([hex(leaf.key), hex(leaf.commitment)]).toEqual([wanted.key, wanted.commitment]);
        expect(hex(censusSalt(tagKey(wanted.person), wanted.n))).toBe(wanted.salt);
      }
      const built = buildCensusMap(leaves.toReversed());
      expect(hex(built.root)).toBe(map.root);
      for (const { person, key, end, siblings } of map.proofs) {
        const proof = built.prove(censusKey(tagKey(person)));
        expect(hex(censusKey(tagKey(person)))).toBe(key);
        expect(proof.siblings.map(hex)).toEqual(siblings);
        expect(proof.end ? { key: hex(proof.end.key), commitment: hex(proof.end.commitment) } : null).toEqual(end);
      }
    },
  );

  test("proves who is in it and who is not, never anything false of another, and does not survive one flipped bit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(45), fc.nat(1e6), (people, person, seed) => {
        const map = buildCensusMap(Array.from({ length: people }, (_, i) => censusLeaf(tagKey(i), i)));
        const leaf = censusLeaf(tagKey(person), person);
        const proof = map.prove(leaf.key);
        const verdict = verifyCensusProof(map.root, { key: leaf.key, proof });
        expect(verdict).toEqual({ ok: true, commitment: person < people ? leaf.commitment : undefined });
        // Held against anybody else's key it is refused or true: one root has one answer for each.
        for (let other = 0; other < people + 3; other++) {
          const truth = censusLeaf(tagKey(other), other);
          const held = verifyCensusProof(map.root, { key: truth.key, proof });
          if (held.ok) expect(held.commitment).toEqual(other < people ? truth.commitment : undefined);
        }
        for (const spoilt of spoil(proof, seed)) {
          expect(verifyCensusProof(map.root, { key: leaf.key, proof: spoilt }).ok).toBe(false);
        }
        expect(verifyCensusProof(flip(map.root, seed % 256), { key: leaf.key, proof }).ok).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("refuses a key that is there twice, and hashes of another length", () => {
    const leaf = censusLeaf(tagKey(1), 1);
    expect(() => buildCensusMap([leaf, censusLeaf(tagKey(1), 2)])).toThrow(LedgerError);
    expect(() => buildCensusMap([{ ...leaf, key: leaf.key.slice(1) }])).toThrow(LedgerError);
    expect(() => buildCensusMap([{ ...leaf, commitment: new Uint8Array(33) }])).toThrow(LedgerError);
    expect(() => censusLeaf(tagKey(1), -1)).toThrow(LedgerError);
    expect(() => censusLeaf(tagKey(1), 1.5)).toThrow(LedgerError);
  });

  test("refuses more siblings than a key has bits, and none of 32 bytes", () => {
    const leaf = censusLeaf(tagKey(1), 1);
    const { root } = buildCensusMap([leaf]);
    const long = { end: leaf, siblings: Array.from({ length: 257 }, () => new Uint8Array(32)) };
    expect(verifyCensusProof(root, { key: leaf.key, proof: long })).toEqual({ ok: false, reason: "proof-malformed" });
    const short = { end: leaf, siblings: [new Uint8Array(31)] };
    expect(verifyCensusProof(root, { key: leaf.key, proof: short })).toEqual({ ok: false, reason: "proof-malformed" });
  });

  test("a count is shown to others by its salt, and no other count with it", () => {
    const leaf = censusLeaf(tagKey(1), 7);
    const salt = censusSalt(tagKey(1), 7);
    expect(verifyCount(leaf, { n: 7, salt })).toBe(true);
    expect(verifyCount(leaf, { n: 8, salt })).toBe(false);
    expect(verifyCount(leaf, { n: 7, salt: censusSalt(tagKey(1), 8) })).toBe(false);
    expect(verifyCount(leaf, { n: 7, salt: salt.slice(1) })).toBe(false);
  });
});

function spoil(proof: CensusProof, seed: number): CensusProof[] {
  const bit = seed % 256;
  const at = proof.siblings.length === 0 ? -1 : seed % proof.siblings.length;
  const spoilt: CensusProof[] = [
    { ...proof, siblings: [...proof.siblings, new Uint8Array(32)] },
    { ...proof, end: proof.end ? undefined : censusLeaf(tagKey(0), 1) },
  ];
  if (at >= 0) {
    spoilt.push({ ...proof, siblings: proof.siblings.map((hash, i) => (i === at ? flip(hash, bit) : hash)) });
    spoilt.push({ ...proof, siblings: proof.siblings.slice(1) });
  }
  if (proof.end) {
    spoilt.push({ ...proof, end: { ...proof.end, commitment: flip(proof.end.commitment, bit) } });
    spoilt.push({ ...proof, end: { ...proof.end, key: flip(proof.end.key, bit) } });
  }
  return spoilt;
}

describe("a census's detail", () => {
  const detail = { seq: 3, root: tagKey(1), next: tagKey(2) };
  test("reads as it was written", () =>
    expect(parseCensusDetail(encodeCensusDetail(detail))).toEqual({
      seq: 3,
      root: new Uint8Array(tagKey(1)),
      next: new Uint8Array(tagKey(2)),
    }));
  test("is refused in any other form", () => {
    const text = encodeCensusDetail(detail);
    const wrong = [
      `${text} `,
      text.replace('"seq":3', '"seq":03'),
      text.replace('"seq":3', '"seq":0'),
      text.toUpperCase(),
      "{}",
      text.replace("}", ',"x":1}'),
    ];
    for (const said of wrong) expect(parseCensusDetail(said)).toBeUndefined();
    expect(() => encodeCensusDetail({ ...detail, seq: 0 })).toThrow(LedgerError);
    expect(() => encodeCensusDetail({ ...detail, root: new Uint8Array(31) })).toThrow(LedgerError);
  });
});
