import { describe, expect, test } from "vitest";
import {
  createNoteSigner,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
} from "../index.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { createMemoryLog } from "./memory-log.ts";

const signer = createNoteSigner("test.example/log", testKey("memory"));
const keys = [parseVerifierKey(signer.verifierKey)];
const leaves = (count: number) => Array.from({ length: count }, (_, n) => testEntry(`memory ${n}`).leaf);

const headOf = (note: Uint8Array) => {
  const verdict = openCheckpoint(note, { keys, origin: signer.name });
  if (!verdict.ok) throw new Error(verdict.reason);
  return { size: Number(verdict.checkpoint.size), root: verdict.checkpoint.root };
};

describe("createMemoryLog()", () => {
  test("verifies as a whole at every size, empty too", async () => {
    const log = createMemoryLog(signer);
    expect(await verifyLog({ tiles: log.reader, verifierKeys: keys, anyEntries: true })).toMatchObject({
      ok: true,
      size: 0,
    });
    for (const count of [1, 255, 1, 300]) {
      const before = headOf(log.checkpoint()).size;
      expect(log.append(leaves(count))).toEqual({ firstIndex: before, size: before + count });
      expect(await verifyLog({ tiles: log.reader, verifierKeys: keys, anyEntries: true })).toMatchObject({
        ok: true,
        size: before + count,
      });
    }
  });

  test("proves inclusion and consistency; a prover keeps to its size", async () => {
    const log = createMemoryLog(signer, { origin: "test.example/log" });
    const entries = leaves(300);
    log.append(entries.slice(0, 100));
    const old = { ...headOf(log.checkpoint()), prover: log.prover() };
    log.append(entries.slice(100));
    const head = headOf(log.checkpoint());
    const claim = { index: 7, leafHash: leafHash(entries[7] ?? new Uint8Array(0)) };
    for (const { size, root, prover } of [old, { ...head, prover: log.prover() }]) {
      const proof = await prover.inclusion(7);
      expect(verifyInclusion({ ...claim, size, root, proof })).toBe(true);
      expect(verifyInclusion({ ...claim, index: 8, size, root, proof })).toBe(false);
    }
    const proof = await log.prover().consistency(old.size);
    expect(verifyConsistency({ oldSize: old.size, oldRoot: old.root, ...head, proof })).toBe(true);
  });

  test("is not changed by who holds its bytes", async () => {
    const log = createMemoryLog(signer);
    const entry = Uint8Array.of(1, 2, 3);
    log.append([entry]);
    entry[0] = 9;
    (await log.reader.read("checkpoint"))?.fill(0);
    (await log.reader.read("tile/entries/000.p/1"))?.fill(0);
    const verdict = await verifyLog({ tiles: log.reader, verifierKeys: keys, anyEntries: true });
    expect(verdict).toMatchObject({ ok: true, size: 1 });
  });

  test("refuses an entry that no bundle can hold, and stays as it was", async () => {
    const log = createMemoryLog(signer);
    const before = log.checkpoint();
    const malformed = expect.objectContaining({ code: "bundle-malformed" });
    expect(() => log.append([new Uint8Array(65_536)])).toThrow(malformed);
    expect(log.checkpoint()).toEqual(before);
  });
});
