import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";
import {
  createNoteSigner,
  createProver,
  encodeBundle,
  encodeCheckpoint,
  type LogReader,
  leafHash,
  nodeHash,
  parseTilePath,
  parseVerifierKey,
  signNote,
  verifyLog,
} from "../index.ts";
import { testKey } from "../test-entries.ts";

const SIZE = 800_000;
const EARLY = 102_400;
/** Some of what a test runner does meanwhile; a hash for each of the entries in between would be twenty times as much. */
const ALLOWED_BYTES = 1_000_000;

/** A log of equal entries: all full tiles of a level are one, so that it needs no room itself. */
const createEndlessLog = (size: number): LogReader => {
  const entry = new Uint8Array(481).fill(1);
  const hashes = [leafHash(entry)];
  for (let level = 1; level < 4; level += 1) {
    let node = hashes[level - 1] ?? entry;
    for (let row = 0; row < 8; row += 1) node = nodeHash(node, node);
    hashes.push(node);
  }
  const bundle = encodeBundle(Array.from({ length: 256 }, () => entry));
  const tiles = hashes.map((hash) => Uint8Array.from({ length: 256 * 32 }, (_, at) => hash[at % 32] ?? 0));
  const cut = (path: string): Uint8Array | undefined => {
    const { level, width } = parseTilePath(path);
    return level === "entries" ? bundle.slice(0, width * 483) : tiles[level]?.slice(0, width * 32);
  };
  const signer = createNoteSigner("endless.example/log", testKey("endless"));
  const sign = async () => {
    const prover = createProver({ size, readTile: async ({ level, width }) => cutTile(tiles[level], width) });
    return signNote(encodeCheckpoint({ origin: signer.name, size, root: await prover.root() }), [signer]);
  };
  return { read: async (path) => (path === "checkpoint" ? sign() : cut(path)) };
};
const cutTile = (tile: Uint8Array | undefined, width: number): Uint8Array =>
  (tile ?? new Uint8Array(0)).slice(0, width * 32);

const verifierKeys = [parseVerifierKey(createNoteSigner("endless.example/log", testKey("endless")).verifierKey)];
let collect: () => void = () => undefined;
beforeAll(() => {
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc");
});

/** What is alive after collection, when so many entries were verified. */
const alive = (): number => {
  // The second waits until what the first found has been given back.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

test.each([1, 2])("verifyLog() on %i threads holds no more of a long log than of a short one", async (threads) => {
  const seen: number[] = [];
  const verdict = await verifyLog({
    ...{ tiles: createEndlessLog(SIZE), verifierKeys, threads, mostOperations: 0 },
    onProgress: ({ entries }) => {
      if (entries % EARLY === 0) seen.push(alive());
    },
  });
  expect(verdict).toMatchObject({ ok: true, size: SIZE, operationsChecked: false });
  expect(seen).toHaveLength(7);
  const [early = 0, ...later] = seen;
  expect(Math.max(...later) - early).toBeLessThan(ALLOWED_BYTES);
});
