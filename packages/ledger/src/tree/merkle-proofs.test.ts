import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/merkle-proofs.json", import.meta.url), "utf8"));
const hash = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const proofOf = (proof: readonly string[] | null) => (proof ?? []).map(hash);

describe("of transparency-dev/merkle's test data", () => {
  test.each<[string, Record<"size1" | "size2", number> & Record<"root1" | "root2", string> & Case]>(
    named(vectors.consistency),
  )("verifyConsistency() judges %s as it does", (_, { size1, size2, root1, root2, proof, wantErr }) => {
    const claim = { oldSize: size1, oldRoot: hash(root1), size: size2, root: hash(root2), proof: proofOf(proof) };
    expect(verifyConsistency(claim)).toBe(!wantErr);
  });
  test.each<[string, Record<"leafIdx" | "treeSize", number> & Record<"root" | "leafHash", string> & Case]>(
    named(vectors.inclusion),
  )("verifyInclusion() judges %s as it does", (_, { leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
    const claim = { index: leafIdx, size: treeSize, root: hash(root), leafHash: hash(leafHash) };
    expect(verifyInclusion({ ...claim, proof: proofOf(proof) })).toBe(!wantErr);
  });
  test("both kinds, good and bad, are there", () => {
    const count = (cases: readonly Case[], wantErr: boolean) => cases.filter((one) => one.wantErr === wantErr).length;
    expect([vectors.consistency, vectors.inclusion].map((cases) => [count(cases, false), count(cases, true)])).toEqual([
      [5, 20],
      [5, 17],
    ]);
  });
});

type Case = { readonly file: string; readonly proof: readonly string[] | null; readonly wantErr: boolean };
function named<T extends Case>(cases: readonly T[]): [string, T][] {
  return cases.map((one) => [one.file, one]);
}
