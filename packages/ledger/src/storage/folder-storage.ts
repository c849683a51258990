import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import type { LogFile } from "../tree/edge.ts";
import { codeOf, locateIn, noteFolder, readIfThere } from "./folder-files.ts";
import { inParallel } from "./in-parallel.ts";
import type { LogStorage } from "./tile-storage.ts";

export { createScratch, type FolderScratch } from "./scratch.ts";

const TEMPORARY = ".unfinished";
/** A temporary file so old belongs to a writer that died. */
const ABANDONED_MS = 600_000;

/**
 * Keeps a log's files in a folder, durably: each is written under another name, synced, and then named, and the folders
 * are synced last. The folder must exist. Rejects with `tile-conflict`, or with `storage-failed` (disk full, no access).
 */
export const createFolderStorage = (folder: string): LogStorage => {
  const locate = (path: string): string => locateIn(folder, path);
  let ready: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    ready ??= prepareTemporary(folder);
    return ready;
  };
  const writer = { folder, locate };
  // A folder stands for ever once it was made and its parent synced; only what names a new file is synced each time.
  const standing = new Set<string>();
  const storage: LogStorage = {
    read: async (path) => readIfThere(folder, path),
    writeOnce: (files) =>
      guarded(async () => {
        await prepare();
        await inParallel(files, (file) => writeOne(writer, file));
        await syncFolders(
          { root: folder, standing },
          files.map(({ path }) => dirname(locate(path))),
        );
      }),
    replace: (file) =>
      guarded(async () => {
        await prepare();
        const target = locate(file.path);
        const temporary = await writeTemporary(folder, file.bytes);
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        await syncFolders({ root: folder, standing }, [dirname(target)]);
      }),
    dropPartials: (fullPaths) =>
      guarded(() => inParallel(fullPaths, (path) => rm(`${locate(path)}.p`, { recursive: true, force: true }))),
  };
  noteFolder(storage, folder);
  return storage;
};

const guarded = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw new LedgerError("storage-failed", `the log's folder cannot be written: ${codeOf(error) || "unknown fault"}`, {
      cause: error,
    });
  }
};

const prepareTemporary = async (folder: string): Promise<void> => {
  const temporary = join(folder, TEMPORARY);
  await mkdir(temporary, { recursive: true });
  for (const name of await readdir(temporary)) {
    const file = join(temporary, name);
    const found = await stat(file).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(file, { force: true });
  }
};

const writeTemporary = async (folder: string, bytes: Uint8Array): Promise<string> => {
  const temporary = join(folder, TEMPORARY, randomUUID());
  const handle = await open(temporary, "wx", 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
};

const writeOne = async (
  { folder, locate }: { folder: string; locate: (path: string) => string },
  { path, bytes }: LogFile,
): Promise<void> => {
  const target = locate(path);
  if (await isThere(folder, { path, bytes })) return;
  const temporary = await writeTemporary(folder, bytes);
  try {
    // Unlike rename, link never replaces what another writer has put there meanwhile.
    await linkInto(temporary, target);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    await isThere(folder, { path, bytes });
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
};

/** Makes the folders above only where they are missing: they mostly stand. */
const linkInto = async (temporary: string, target: string): Promise<void> => {
  try {
    await link(temporary, target);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await mkdir(dirname(target), { recursive: true });
    await link(temporary, target);
  }
};

const isThere = async (folder: string, { path, bytes }: LogFile): Promise<boolean> => {
  const found = await readIfThere(folder, path);
  if (found === undefined) return false;
  if (!equalBytes(found, bytes)) {
    throw new LedgerError("tile-conflict", `the log's file ${path} exists with other content; it is left as it is`);
  }
  return true;
};

/**
 * Syncs the folders, and those above them, up to the log's own, that this process has not yet seen synced: each may have
 * been made just now.
 */
const syncFolders = async (
  { root, standing }: { root: string; standing: Set<string> },
  folders: readonly string[],
): Promise<void> => {
  const all = new Set<string>(folders);
  const made = new Set<string>();
  for (const folder of folders) {
    for (let at = folder; at !== root && !standing.has(at); at = dirname(at)) {
      made.add(at);
      all.add(dirname(at));
    }
  }
  await inParallel([...all], async (folder) => {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
  for (const folder of made) standing.add(folder);
};
