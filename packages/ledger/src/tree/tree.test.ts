import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { loadEdge, tileReaderOf } from "../storage/tile-storage.ts";
import { encodeBundle, parseBundle } from "./bundle.ts";
import { edgeRoot, emptyEdge, extendEdge, type LogEdge } from "./edge.ts";
import { emptyRoot, leafHash, nodeHash, splitOf } from "./hashes.ts";
import { entriesPath, parseTilePath, tilePath } from "./paths.ts";
import { createProver } from "./prover.ts";
import { verifyConsistency, verifyInclusion } from "./verify-proof.ts";

type Proof = { proof: string[] };
const vectors: {
  leaves: string[];
  roots: string[];
  inclusion: (Proof & { index: number; size: number })[];
  consistency: (Proof & { oldSize: number; size: number })[];
} = JSON.parse(readFileSync(new URL("../../vectors/rfc6962-tree.json", import.meta.url), "utf8"));

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const flip = (data: Uint8Array, bit: number): Uint8Array =>
  data.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

/** RFC 6962, section 2.1, to the letter. */
const naiveRoot = (entries: readonly Uint8Array[]): Uint8Array => {
  const [only] = entries;
  if (only === undefined) return emptyRoot();
  if (entries.length === 1) return leafHash(only);
  const k = splitOf(entries.length);
  return nodeHash(naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)));
};

const entry = (n: number): Uint8Array => new TextEncoder().encode(`entry ${n}`);
const entriesUpTo = (size: number) => Array.from({ length: size }, (_, n) => entry(n));

const memoryLog = () => {
  const files = new Map<string, Uint8Array>();
  const storage = { read: async (path: string) => files.get(path) };
  const append = (edge: LogEdge, entries: readonly Uint8Array[]): LogEdge => {
    const step = extendEdge(edge, entries);
    for (const file of step.files) files.set(file.path, file.bytes);
    return step.edge;
  };
  return { files, storage, append };
};

describe("the tree of RFC 6962", () => {
  const leaves = vectors.leaves.map(bytes);
  const rootOf = (size: number) => bytes(vectors.roots[size] ?? "");

  test("has the published roots", () => {
    for (const [size, root] of vectors.roots.entries()) {
      expect(hex(edgeRoot(extendEdge(emptyEdge, leaves.slice(0, size)).edge))).toBe(root);
      expect(hex(naiveRoot(leaves.slice(0, size)))).toBe(root);
    }
  });

  test("has the published proofs", async () => {
    const { storage, append } = memoryLog();
    for (let size = 1; size <= 8; size++) append(emptyEdge, leaves.slice(0, size));
    for (const { index, size, proof } of vectors.inclusion) {
      const made = await createProver({ size, readTile: tileReaderOf(storage) }).inclusion(index);
      expect(made.map(hex)).toEqual(proof);
      const claim = { index, size, leafHash: leafHash(leaves[index] ?? new Uint8Array(0)), root: rootOf(size) };
      expect(verifyInclusion({ ...claim, proof: proof.map(bytes) })).toBe(true);
    }
    for (const { oldSize, size, proof } of vectors.consistency) {
      const made = await createProver({ size, readTile: tileReaderOf(storage) }).consistency(oldSize);
      expect(made.map(hex)).toEqual(proof);
      const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size), proof: proof.map(bytes) };
      expect(verifyConsistency(claim)).toBe(true);
    }
  });
});

describe("extendEdge()", () => {
  test("comes to the same root and the same files however the entries are split into batches", async () => {
    const batches = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(batches, async (sizes) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const whole = memoryLog();
        const atOnce = whole.append(emptyEdge, entriesUpTo(total));
        const pieces = memoryLog();
        let edge = emptyEdge;
        for (const size of sizes) edge = pieces.append(edge, entriesUpTo(edge.size + size).slice(edge.size));
        expect(hex(edgeRoot(edge))).toBe(hex(naiveRoot(entriesUpTo(total))));
        expect(edge.levels.map((level) => level.map(hex))).toEqual(atOnce.levels.map((level) => level.map(hex)));
        for (const [path, data] of whole.files) expect(pieces.files.get(path)).toEqual(data);
        const loaded = await loadEdge(pieces.storage, total);
        expect(hex(edgeRoot(loaded))).toBe(hex(edgeRoot(edge)));
        expect(loaded.entries).toEqual(edge.entries);
      }),
      { numRuns: 40 },
    );
  });

  test("derives the tiles that the specification counts for 70,000 entries", () => {
    const { files, append } = memoryLog();
    append(emptyEdge, entriesUpTo(70_000));
    const tiles = [...files.keys()].filter((path) => !path.includes("entries"));
    expect(tiles.filter((path) => path.startsWith("tile/0/") && !path.includes(".p"))).toHaveLength(273);
    expect(tiles.filter((path) => path.includes(".p"))).toEqual([
      "tile/0/273.p/112",
      "tile/1/001.p/17",
      "tile/2/000.p/1",
    ]);
    expect(tiles).toContain("tile/1/000");
  });

  test("derives a full tile and the one above it for 256 entries", () => {
    const { files, append } = memoryLog();
    append(emptyEdge, entriesUpTo(256));
    expect([...files.keys()]).toEqual(["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
  });
});

describe("proofs", () => {
  const MAX = 130;
  const log = memoryLog();
  const leaf = (n: number) => leafHash(entry(n));
  const roots: Uint8Array[] = [];
  const proverOf = (size: number) => createProver({ size, readTile: tileReaderOf(log.storage) });

  beforeAll(() => {
    for (let size = 0, edge = emptyEdge; size <= MAX; size++) {
      roots.push(edgeRoot(edge));
      edge = log.append(edge, [entry(size)]);
    }
  });
  const rootOf = (size: number): Uint8Array => roots[size] ?? new Uint8Array(0);

  test("verify for every index of every tree", async () => {
    for (let size = 1; size <= MAX; size++) {
      const prover = proverOf(size);
      expect(hex(await prover.root())).toBe(hex(rootOf(size)));
      for (let index = 0; index < size; index++) {
        const proof = await prover.inclusion(index);
        expect(verifyInclusion({ index, size, leafHash: leaf(index), proof, root: rootOf(size) })).toBe(true);
      }
    }
  });

  test("verify from every tree to every larger one", async () => {
    for (let size = 0; size <= MAX; size++) {
      const prover = proverOf(size);
      for (let oldSize = 0; oldSize <= size; oldSize++) {
        const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size) };
        const proof = await prover.consistency(oldSize);
        expect(verifyConsistency({ ...claim, proof })).toBe(true);
      }
    }
  });

  const place = fc
    .integer({ min: 1, max: MAX })
    .chain((size) =>
      fc.record({ size: fc.constant(size), index: fc.nat(size - 1), bit: fc.nat(255), other: fc.nat(MAX) }),
    );

  test("of inclusion fail when any bit of proof, leaf or root flips, or a hash, index or size is another", async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ size, index, bit, other }) => {
        const proof = await proverOf(size).inclusion(index);
        const claim = { index, size, leafHash: leaf(index), proof, root: rootOf(size) };
        expect(verifyInclusion({ ...claim, root: flip(claim.root, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, leafHash: flip(claim.leafHash, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, claim.root] })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [claim.root, ...proof] })).toBe(false);
        if (other !== index) expect(verifyInclusion({ ...claim, index: other })).toBe(false);
        for (const [at, hash] of proof.entries()) {
          expect(verifyInclusion({ ...claim, proof: proof.with(at, flip(hash, bit)) })).toBe(false);
          expect(verifyInclusion({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("of consistency fail when any bit of proof or roots flips, or a hash is missing or too many", async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ size, index, bit }) => {
        const oldSize = index + 1;
        const proof = await proverOf(size).consistency(oldSize);
        const claim = { oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size), proof };
        expect(verifyConsistency({ ...claim, root: flip(claim.root, bit) })).toBe(false);
        expect(verifyConsistency({ ...claim, oldRoot: flip(claim.oldRoot, bit) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, claim.root] })).toBe(false);
        if (oldSize < size) expect(verifyConsistency({ ...claim, proof: [] })).toBe(false);
        for (const [at, hash] of proof.entries()) {
          expect(verifyConsistency({ ...claim, proof: proof.with(at, flip(hash, bit)) })).toBe(false);
          expect(verifyConsistency({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("are refused for sizes and indexes that are none, without throwing", () => {
    const claim = { leafHash: leaf(0), proof: [], root: leaf(0) };
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0.5, 1],
      [0, Number.NaN],
      [0n, -1n],
      [0, 2 ** 53],
    ] as const) {
      expect(verifyInclusion({ ...claim, index, size })).toBe(false);
    }
    const roots = { oldRoot: leaf(0), root: leaf(0), proof: [] };
    for (const [oldSize, size] of [
      [2, 1],
      [-1, 1],
      [0, 0],
      [0, 1],
      [0.5, 1],
      [1, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(verifyConsistency({ ...roots, oldSize, size })).toBe(false);
    }
    expect(verifyInclusion({ ...claim, index: 0, size: 1, root: new Uint8Array(0) })).toBe(false);
    expect(verifyInclusion({ ...claim, index: 0, size: 1 })).toBe(true);
  });

  test("reach beyond 2^32 entries", async () => {
    // A log of 2^40 + 3 entries, all tiles of which hold one and the same hash at each level.
    const size = 2 ** 40 + 3;
    const same: Uint8Array[] = [leaf(0)];
    for (let level = 1; level <= 5; level++) {
      let hash = same[level - 1] ?? leaf(0);
      for (let row = 0; row < 8; row++) hash = nodeHash(hash, hash);
      same.push(hash);
    }
    const readTile = async ({ level, width }: { level: number; width: number }) =>
      new Uint8Array(width * 32).map((_, at) => same[level]?.[at % 32] ?? 0);
    const prover = createProver({ size, readTile });
    const root = await prover.root();
    for (const index of [0, 1, 2 ** 32, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 2]) {
      const proof = await prover.inclusion(index);
      expect(verifyInclusion({ index, size, leafHash: leaf(0), proof, root })).toBe(true);
      expect(verifyInclusion({ index: index + 1, size, leafHash: leaf(1), proof, root })).toBe(false);
    }
  });

  test("of what lies outside the tree are refused", async () => {
    const range = expect.objectContaining({ code: "range-invalid" });
    await expect(proverOf(5).inclusion(5)).rejects.toThrow(range);
    await expect(proverOf(5).inclusion(-1)).rejects.toThrow(range);
    await expect(proverOf(5).consistency(6)).rejects.toThrow(range);
    await expect(createProver({ size: 500, readTile: tileReaderOf(log.storage) }).inclusion(0)).rejects.toThrow(
      expect.objectContaining({ code: "tile-missing" }),
    );
  });
});

describe("tile paths", () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, "tile/0/000"],
    [{ level: 0, index: 1234067, width: 256 }, "tile/0/x001/x234/067"],
    [{ level: 63, index: 999, width: 1 }, "tile/63/999.p/1"],
    [{ level: 2, index: 1000, width: 255 }, "tile/2/x001/000.p/255"],
  ])("are written as the specification does: %j", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test("of bundles are read back as well", () => {
    expect(entriesPath({ index: 1234067, width: 8 })).toBe("tile/entries/x001/x234/067.p/8");
    expect(parseTilePath("tile/entries/x001/x234/067.p/8")).toEqual({ level: "entries", index: 1234067, width: 8 });
  });

  test.each([
    "tile/64/000",
    "tile/00/000",
    "tile/0/0",
    "tile/0/00",
    "tile/0/1000",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/x01/002",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/000/",
    "tile/-1/000",
    "tile/8/x000",
    "tile/entries",
    "tile/0",
    "",
    "/tile/0/000",
    "tile/0/000\n",
    "tile/0/../000",
    "tile/data/000",
  ])("refuse %j", (path) => {
    expect(() => parseTilePath(path)).toThrow(expect.objectContaining({ code: "path-malformed" }));
  });

  test.each([
    { level: -1, index: 0, width: 1 },
    { level: 64, index: 0, width: 1 },
    { level: 0, index: -1, width: 1 },
    { level: 0, index: 0.5, width: 1 },
    { level: 0, index: 0, width: 0 },
    { level: 0, index: 0, width: 257 },
  ])("are not written for %j", (tile) => {
    expect(() => tilePath(tile)).toThrow(LedgerError);
  });
});

describe("entry bundles", () => {
  test("give back what was put in", () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 256 });
    fc.assert(
      fc.property(entries, (items) => {
        expect(parseBundle(encodeBundle(items), items.length)).toEqual(items);
      }),
      { numRuns: 50 },
    );
  });

  test("are refused with a byte less or more, or another width", () => {
    const bundle = encodeBundle(entriesUpTo(3));
    const malformed = expect.objectContaining({ code: "bundle-malformed" });
    for (let length = 0; length < bundle.length; length++) {
      expect(() => parseBundle(bundle.subarray(0, length), 3)).toThrow(malformed);
    }
    expect(() => parseBundle(Buffer.concat([bundle, Buffer.of(0)]), 3)).toThrow(malformed);
    expect(() => parseBundle(bundle, 2)).toThrow(malformed);
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(malformed);
    expect(() => encodeBundle(entriesUpTo(257))).toThrow(malformed);
  });
});
