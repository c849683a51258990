import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EntryIndex, LedgerError, type LogReader } from "@tipstaff/ledger";
import { type IndexFile, openIndexFile, writeIndexFile } from "@tipstaff/ledger/index-file";
import { CliError } from "../cli-error.ts";

/**
 * Indexes a log of this size in a temporary file, 80 bytes an entry, and removes it after use: in memory the index of a
 * log of ten million entries would take gigabytes. It holds what the log shows to everybody.
 */
export async function withIndexOnDisk<T>(
  { log, size }: { log: LogReader; size: number },
  use: (index: EntryIndex) => Promise<T>,
): Promise<T> {
  const folder = await orNoRoom(() => mkdtemp(join(tmpdir(), "tipstaff-index-")));
  try {
    const index = await orNoRoom(() => makeIndex(log, { path: join(folder, "index"), size }));
    try {
      return await use(index);
    } finally {
      await index.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeIndex(log: LogReader, { path, size }: { path: string; size: number }): Promise<IndexFile> {
  await writeIndexFile(log, { path, size });
  return openIndexFile(path);
}

/** The log's own faults as they are; every other is one of the temporary folder. */
async function orNoRoom<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw new CliError(
      "failed",
      `The log's index cannot be written to ${tmpdir()}${code}.`,
      "It needs 80 bytes for each entry of the log: make room, or name another folder in TMPDIR.",
    );
  }
}
