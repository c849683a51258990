import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  CHECKPOINT_PATH,
  createProver,
  edgeRoot,
  emptyEdge,
  extendEdge,
  leafHash,
  openCheckpoint,
  parseCheckpoint,
  parseCosignerKey,
  parseSignedNote,
  parseVerifierKey,
  tileReaderOf,
  verifyConsistency,
  verifyCosignature,
  verifyInclusion,
  verifyLog,
} from "../index.ts";

type Log = { readonly tiles: Record<string, string> };
const vectors: {
  tessera: Log & { entries: string[]; keys: string[]; checkpoints: string[] };
  sunlight: Log & { size: number; entryPrefix: string; cosignerKey: string; checkpoint: string };
} = JSON.parse(readFileSync(new URL("../../vectors/published-tiles.json", import.meta.url), "utf8"));

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("base64");
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] ?? 0) ^ 1);

/** The files of a log of these entries, as they were before the last entries came too. */
const filesOf = (entries: readonly Uint8Array[]) => {
  const { edge, files } = extendEdge(emptyEdge, entries);
  return { root: edgeRoot(edge), files: new Map(files.map(({ path, bytes }) => [path, bytes])) };
};

describe("of the log that Tessera keeps as its test data", () => {
  const { entries, checkpoints, tiles } = vectors.tessera;
  const verifierKeys = vectors.tessera.keys.map(parseVerifierKey);
  const logOf = (size: number, changes: Record<string, Uint8Array> = {}) => {
    const { files } = filesOf(entries.slice(0, size).map(utf8));
    files.set(CHECKPOINT_PATH, utf8(checkpoints[size] ?? ""));
    for (const [path, bytes] of Object.entries(changes)) files.set(path, bytes);
    return { read: async (path: string) => files.get(path) };
  };
  const verify = (tiles: ReturnType<typeof logOf>) => verifyLog({ tiles, verifierKeys, anyEntries: true });
  const rootAt = (size: number) => parseCheckpoint(parseSignedNote(utf8(checkpoints[size] ?? "")).text).root;
  const sizes = checkpoints.map((_, size) => size);

  test("every published tile is the one that its entries make", () => {
    expect(Object.keys(tiles)).toHaveLength(3);
    for (const [path, bytes] of Object.entries(tiles)) {
      const { files } = filesOf(entries.slice(0, Number(path.split("/").pop())).map(utf8));
      expect(base64(files.get(path))).toBe(bytes);
    }
  });

  test("every published checkpoint is verified over the whole log of its size", async () => {
    expect(sizes).toHaveLength(16);
    for (const size of sizes) expect(await verify(logOf(size))).toMatchObject({ ok: true, size });
  });

  test("no published checkpoint is verified over one entry or tile that has a bit of another", async () => {
    for (const size of sizes.slice(1)) {
      for (const path of [`tile/entries/000.p/${size}`, `tile/0/000.p/${size}`]) {
        const bytes = await logOf(size).read(path);
        const changed = flipped(bytes ?? new Uint8Array(0), (bytes?.length ?? 0) - 1);
        expect(await verify(logOf(size, { [path]: changed }))).toMatchObject({ ok: false, fault: { path } });
      }
      const other = utf8(checkpoints[size]?.replace(`\n${size}\n`, `\n${size - 1}\n`) ?? "");
      expect(await verify(logOf(size, { [CHECKPOINT_PATH]: other }))).toMatchObject({ fault: { kind: "checkpoint" } });
    }
  });

  test("proofs made from its tiles lead to the published roots, and to no other of them", async () => {
    for (const size of sizes.slice(1)) {
      const prover = createProver({ size, readTile: tileReaderOf(logOf(size)) });
      for (let index = 0; index < size; index++) {
        const claim = { index, size, leafHash: leafHash(utf8(entries[index] ?? "")) };
        const proof = await prover.inclusion(index);
        const fits = sizes.filter((at) => verifyInclusion({ ...claim, proof, root: rootAt(at) }));
        expect(fits).toEqual([size]);
      }
      for (let oldSize = 1; oldSize < size; oldSize++) {
        const claim = { oldSize, size, root: rootAt(size), proof: await prover.consistency(oldSize) };
        const fits = sizes.filter((at) => verifyConsistency({ ...claim, oldRoot: rootAt(at) }));
        expect(fits).toEqual([oldSize]);
      }
    }
  });
});

describe("of the log that Sunlight's mirror serves in its tests", () => {
  const { size, entryPrefix, checkpoint, tiles } = vectors.sunlight;
  const entries = Array.from({ length: size }, (_, n) => utf8(entryPrefix + n));
  const note = parseSignedNote(utf8(checkpoint));
  let log: ReturnType<typeof filesOf>;
  beforeAll(() => {
    log = filesOf(entries);
  });

  test("the published root and the tile above the first full one are those of its entries", () => {
    expect(Buffer.from(log.root)).toEqual(Buffer.from(parseCheckpoint(note.text).root));
    expect(tiles).toEqual({ "tile/1/000.p/1": base64(log.files.get("tile/1/000.p/1")) });
    expect([...log.files.keys()].sort()).toEqual(
      ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"].sort(),
    );
  });

  test("the mirror's cosignature holds for that root, and for no other", () => {
    const key = parseCosignerKey(vectors.sunlight.cosignerKey);
    const [signature] = note.signatures;
    if (signature === undefined) throw new Error("no signature");
    expect(verifyCosignature(note.text, signature, { key })).toEqual({ ok: true, timestamp: 1767139200n });
    const other = note.text.replace("\n300\n", "\n299\n");
    expect(verifyCosignature(other, signature, { key })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("it is no signature of the log's own", () => {
    const keys = vectors.tessera.keys.map(parseVerifierKey);
    const opened = openCheckpoint(utf8(checkpoint), { keys, origin: "rome2026h1.example.org" });
    expect(opened).toMatchObject({ ok: false });
  });

  test("proofs across its two tiles lead to the published root", async () => {
    const readTile = tileReaderOf({ read: async (path) => log.files.get(path) });
    const prover = createProver({ size, readTile });
    const { root } = parseCheckpoint(note.text);
    for (const index of [0, 1, 127, 128, 255, 256, 257, 298, 299]) {
      const claim = { index, size, leafHash: leafHash(entries[index] ?? new Uint8Array(0)), root };
      const proof = await prover.inclusion(index);
      expect(verifyInclusion({ ...claim, proof })).toBe(true);
      for (const [at, hash] of proof.entries()) {
        expect(verifyInclusion({ ...claim, proof: proof.with(at, flipped(hash, at)) })).toBe(false);
      }
    }
  });
});
