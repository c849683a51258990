import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { LedgerError } from "../error.ts";
import { MAX_FILE_BYTES } from "./file-rules.ts";
import type { LogReader } from "./tile-storage.ts";

const PATH = /^[A-Za-z0-9][A-Za-z0-9.-]*(?:\/[A-Za-z0-9][A-Za-z0-9.-]*)*$/;
// Without O_NONBLOCK, opening a pipe would wait for ever.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Where a log's file lies below its folder; throws `path-malformed`. */
export const locateIn = (folder: string, path: string): string => {
  if (!PATH.test(path)) throw new LedgerError("path-malformed", "that is no path of a log's file");
  return join(folder, path);
};

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** The bytes of a file, or `undefined` where there is none; rejects with `storage-failed`, naming the path. */
export const readIfThere = async (folder: string, path: string): Promise<Uint8Array | undefined> => {
  const file = locateIn(folder, path);
  try {
    const handle = await open(file, FLAGS);
    try {
      assertPlain(await handle.stat(), path);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    return orNothing(error, path);
  }
};

const assertPlain = (found: Stats, path: string): void => {
  if (!found.isFile()) throw new LedgerError("storage-failed", `the log's file ${path} is no plain file`);
  if (found.size > MAX_FILE_BYTES) {
    throw new LedgerError("storage-failed", `the log's file ${path} is longer than any of a log can be`);
  }
};

const orNothing = (error: unknown, path: string): undefined => {
  if (error instanceof LedgerError) throw error;
  if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
  throw new LedgerError(
    "storage-failed",
    `the log's file ${path} cannot be read: ${codeOf(error) || "unknown fault"}`,
    {
      cause: error,
    },
  );
};

const folders = new WeakMap<LogReader, string>();

/** Notes that this storage keeps its files in that folder, so that a thread can be told of it. */
export const noteFolder = (storage: LogReader, folder: string): void => void folders.set(storage, folder);

/** The folder that a storage of this process keeps its files in; `undefined` for every other storage. */
export const folderOf = (storage: LogReader): string | undefined => folders.get(storage);

/**
 * Reads a folder for a thread that has nothing else to do: each read is done when the call returns, at a third of the
 * cost. With `buffers`, so many of them serve all reads in turn: the bytes are good until as many others were read.
 */
export const createFolderReader = (folder: string, { buffers = 0 }: { buffers?: number } = {}): LogReader => {
  const held: Buffer[] = [];
  let turn = 0;
  const bufferFor = (length: number): Buffer => {
    if (buffers === 0) return Buffer.allocUnsafeSlow(length);
    turn = (turn + 1) % buffers;
    const fitting = held[turn];
    if (fitting && fitting.length >= length) return fitting;
    const made = Buffer.allocUnsafeSlow(length);
    held[turn] = made;
    return made;
  };
  return { read: async (path) => readNow({ file: locateIn(folder, path), path }, bufferFor) };
};

const readNow = (
  { file, path }: { file: string; path: string },
  bufferFor: (length: number) => Buffer,
): Uint8Array | undefined => {
  try {
    const handle = openSync(file, FLAGS);
    try {
      const found = fstatSync(handle);
      assertPlain(found, path);
      const buffer = bufferFor(found.size);
      let length = 0;
      for (let read = -1; read !== 0 && length < found.size; length += read) {
        read = readSync(handle, buffer, length, found.size - length, length);
      }
      return buffer.subarray(0, length);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return orNothing(error, path);
  }
};
