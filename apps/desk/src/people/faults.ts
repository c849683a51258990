import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { RowFaultReason } from "./cell-rules.ts";
import { ImportError } from "./import-error.ts";
import type { PhotoFaultReason } from "./photos.ts";

/** What is wrong, and where; never what the place holds. `line` is null for a photo that belongs to no row. */
export type ImportFault = {
  readonly line: number | null;
  readonly column: string;
  readonly reason: RowFaultReason | PhotoFaultReason;
};

/** A fault in a line of text, as a person reads it. */
export function tellFault({ line, column, reason }: ImportFault): string {
  const place = [...(line === null ? [] : [`line ${line}`]), ...(column === "" ? [] : [column])].join(", ");
  return `${place}: ${reason.replaceAll("-", " ")}`;
}

/** Takes an import's faults: all go to a file, a few stay at hand. */
export type FaultLog = {
  readonly add: (fault: ImportFault) => void;
  /** Writes what was added since. */
  readonly flush: () => Promise<void>;
  readonly first: readonly ImportFault[];
  readonly count: () => number;
  /** The file, or null where nothing was wrong or no file was asked for. */
  readonly close: () => Promise<string | null>;
};

const HEADER = "line,column,reason\r\n";

/**
 * A log of faults that keeps the first `keep`; without `path` nothing is written. An existing file of faults is replaced;
 * any other file is left alone, whoever names it: flush() throws ImportError `bad-file`.
 */
export function createFaultLog(keep: number, path: string | null): FaultLog {
  const first: ImportFault[] = [];
  let waiting: string[] = [HEADER];
  let count = 0;
  let handle: FileHandle | undefined;
  const flush = async (): Promise<void> => {
    if (path === null || count === 0 || waiting.length === 0) return;
    const text = waiting.join("");
    waiting = [];
    handle ??= await openForFaults(path);
    await handle.write(text);
  };
  return {
    add: (fault) => {
      count += 1;
      if (first.length < keep) first.push(fault);
      if (path !== null) waiting.push(`${toCsvLine([fault.line ?? "", fault.column, fault.reason])}\r\n`);
    },
    flush,
    first,
    count: () => count,
    close: async () => {
      await flush();
      await handle?.close();
      return handle === undefined ? null : path;
    },
  };
}

async function openForFaults(path: string): Promise<FileHandle> {
  // A pipe is not waited for.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o600).catch((cause: unknown) => {
    const words = `The file of faults cannot be written in ${dirname(path)}; nothing was imported.`;
    throw new ImportError("bad-file", words, { cause });
  });
  try {
    await emptyFaults(handle);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function emptyFaults(handle: FileHandle): Promise<void> {
  const found = await handle.stat();
  if (found.isCharacterDevice()) return;
  if (!found.isFile() || !(await isReplaceable(handle))) {
    const words = "The file that all faults were to go to (--errors) exists, and is no file of faults; name another.";
    throw new ImportError("bad-file", `${words} Nothing was imported.`);
  }
  await handle.truncate(0);
}

async function isReplaceable(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
  return bytesRead === 0 || buffer.toString("latin1", 0, bytesRead) === HEADER;
}

/** One CSV line; what a spreadsheet would take for a formula is made text by an apostrophe. */
export function toCsvLine(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? String(cell) : toCsvCell(cell))).join(",");
}

function toCsvCell(text: string): string {
  const inert = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",;\r\n\t']/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
