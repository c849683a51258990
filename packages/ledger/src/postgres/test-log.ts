import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pool } from "pg";
import {
  createNoteSigner,
  emptyRoot,
  encodeCheckpoint,
  LedgerError,
  parseVerifierKey,
  signNote,
  verifyConsistency,
} from "../index.ts";
import { createFolderStorage } from "../storage/folder-storage.ts";
import { type TestEntry, testKey } from "../test-entries.ts";
import { createSequencer, migrateLedger, type SequencerOptions, type SignRequest } from "./index.ts";
import { commitRows } from "./shared-intake.ts";

export const testOrigin = "force.example/log";
const signer = createNoteSigner(testOrigin, testKey("signer"));
export const testLogKey = signer.verifierKey;
export const testVerifierKeys = [parseVerifierKey(testLogKey)];
export const signCheckpoint = (request: Pick<SignRequest, "size" | "root">): Uint8Array =>
  signNote(encodeCheckpoint({ ...request, origin: testOrigin }), [signer]);

/** Signs as a keyholder does: it remembers, in the file if there is one, and demands consistency. */
export const createTestSigner = (file?: string, before = { size: 0, root: emptyRoot() }) => {
  let last = file && existsSync(file) ? readState(file) : before;
  return async ({ oldSize, size, root, consistencyProof }: SignRequest): Promise<Uint8Array> => {
    const again = last.size === size && Buffer.compare(last.root, root) === 0;
    const claim = { oldSize: last.size, oldRoot: last.root, size, root, proof: consistencyProof };
    if (!again && (oldSize !== last.size || !verifyConsistency(claim))) {
      throw new LedgerError("signature-refused", "the new tree does not extend the last one that was signed");
    }
    last = { size, root };
    if (file) {
      writeFileSync(`${file}.new`, JSON.stringify({ size, root: Buffer.from(root).toString("hex") }));
      renameSync(`${file}.new`, file);
    }
    return signCheckpoint({ size, root });
  };
};

const readState = (file: string): { size: number; root: Uint8Array } => {
  const { size, root } = JSON.parse(readFileSync(file, "utf8"));
  return { size, root: Buffer.from(root, "hex") };
};

/** A log of its own: a database, two folders, and as many sequencers as a test wants. */
export const createTestLog = async (pool: Pool) => {
  await migrateLedger(pool);
  const folder = await mkdtemp(join(tmpdir(), "tipstaff-log-"));
  const folders = { tiles: join(folder, "tiles"), openings: join(folder, "openings") };
  await mkdir(folders.tiles);
  await mkdir(folders.openings);
  const tiles = createFolderStorage(folders.tiles);
  const openings = createFolderStorage(folders.openings);
  const sign = createTestSigner();
  const errors: unknown[] = [];
  return {
    pool,
    folders,
    tiles,
    openings,
    errors,
    sequencer: (more: Partial<SequencerOptions> = {}) =>
      createSequencer({
        pool,
        tiles,
        openings,
        origin: testOrigin,
        verifierKeys: testVerifierKeys,
        sign,
        onError: (error) => errors.push(error),
        ...more,
      }),
    append: (entries: readonly TestEntry[]) => commitRows(pool, entries),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
export type TestLog = Awaited<ReturnType<typeof createTestLog>>;

export const until = async (condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> => {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("it did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
