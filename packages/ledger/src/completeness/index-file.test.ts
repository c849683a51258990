import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import { createNoteSigner } from "../formats/signed-note.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { indexInMemory } from "./entry-index.ts";
import { openIndexFile, writeIndexFile } from "./index-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tipstaff-index-"));
});
afterEach(() => rm(folder, { recursive: true }));

const SIZE = 300;
const createLog = () => {
  const log = createMemoryLog(createNoteSigner("log.example", testKey("signer")));
  const leaves = Array.from({ length: SIZE }, (_, i) => testEntry(String(i)).leaf);
  // What is no leaf stands in a log too, and is in no index.
  leaves[7] = new Uint8Array(3);
  log.append(leaves);
  return { log, leaves };
};

test("an index file finds what an index in memory finds, in one run or in many, and nothing else", async () => {
  const { log, leaves } = createLog();
  const inMemory = await indexInMemory(log.reader, SIZE);
  for (const runRecords of [7, 100, 2 ** 20]) {
    const path = join(folder, `index-${runRecords}`);
    await writeIndexFile(log.reader, { path, size: SIZE, runRecords });
    const index = await openIndexFile(path);
    expect(index.size).toBe(SIZE);
    for (const at of [0, 1, 6, 8, 255, 256, 299]) {
      const { operationId, tag } = parseLeaf(leaves[at] ?? new Uint8Array(0));
      expect(await index.find(operationId)).toEqual([at]);
      // All of these entries carry one tag, so that it stands in every run.
      expect(await index.find(tag)).toEqual(await inMemory.find(tag));
    }
    expect(await index.find(createHash("sha256").update("nowhere").digest())).toEqual([]);
    await index.close();
  }
});

test("a log that cannot be read leaves no index behind", async () => {
  const { log } = createLog();
  const path = join(folder, "index");
  await expect(writeIndexFile(log.reader, { path, size: SIZE + 600 })).rejects.toThrow(LedgerError);
  expect(await readdir(folder)).toEqual([]);
});

test("refuses a file that is cut short, has another head, or more records than its log", async () => {
  const { log } = createLog();
  const path = join(folder, "index");
  await writeIndexFile(log.reader, { path, size: SIZE });
  const bytes = await readFile(path);
  const more = Buffer.concat([bytes, bytes.subarray(32)]);
  for (const wrong of [
    bytes.subarray(0, 20),
    bytes.subarray(0, -1),
    Buffer.concat([Buffer.from("x"), bytes.subarray(1)]),
    more,
  ]) {
    await writeFile(path, wrong);
    await expect(openIndexFile(path)).rejects.toThrow(LedgerError);
  }
});
