import type { Entry, ZipFile } from "yauzl";
import { ImportError } from "./import-error.ts";
import { type XmlHandler, XmlScanner } from "./xml-scanner.ts";
import { openZip } from "./zip-file.ts";

const MAX_ENTRIES = 10_000;
/** Most bytes that any part may unpack to. */
const MAX_PART_BYTES = 1024 ** 3;

/** The parts of an open workbook. */
export type WorkbookParts = {
  readonly names: ReadonlySet<string>;
  /** Scans a part's XML from its beginning; `step` runs between pieces. Throws ImportError `bad-file`. */
  readonly scan: (name: string, handler: XmlHandler, maxBytes?: number) => AsyncGenerator<number>;
  readonly close: () => void;
};

export async function openWorkbookParts(path: string): Promise<WorkbookParts> {
  const { zip } = await openZip(path).catch((cause: unknown) => {
    throw badWorkbook("its ZIP frame is broken or cut off", cause);
  });
  try {
    const entries = await listEntries(zip);
    return {
      names: new Set(entries.keys()),
      scan: (name, handler, maxBytes = MAX_PART_BYTES) =>
        scanPart({ zip, entry: entries.get(name), name, maxBytes }, handler),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw badWorkbook("it has too many parts");
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw badWorkbook("a part stands in it twice");
      entries.set(entry.fileName, entry);
    }
  } catch (cause) {
    throw cause instanceof ImportError ? cause : badWorkbook("its ZIP frame is broken or cut off", cause);
  }
  return entries;
}

type Part = {
  readonly zip: ZipFile;
  readonly entry: Entry | undefined;
  readonly name: string;
  readonly maxBytes: number;
};

async function* scanPart({ zip, entry, name, maxBytes }: Part, handler: XmlHandler): AsyncGenerator<number> {
  if (entry === undefined) throw badWorkbook(`the part ${name} is missing`);
  if (entry.isEncrypted()) throw badWorkbook("it is encrypted");
  if (entry.uncompressedSize > maxBytes) throw badWorkbook(`${name} unpacks to more than ${maxBytes / 1024 ** 2} MiB`);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const scanner = new XmlScanner(handler);
  let unpacked = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream) {
      const part: Buffer = chunk;
      unpacked += part.length;
      if (unpacked > maxBytes) throw badWorkbook(`${name} unpacks to more than ${maxBytes / 1024 ** 2} MiB`);
      scanner.push(decoder.decode(part, { stream: true }));
      yield part.length;
    }
    scanner.push(decoder.decode());
    scanner.end();
  } catch (cause) {
    throw cause instanceof ImportError ? cause : badWorkbook(`${name} is broken`, cause);
  }
}

/** Scans a whole part. */
export async function scanWhole(
  parts: WorkbookParts,
  name: string,
  handler: XmlHandler,
  maxBytes?: number,
): Promise<void> {
  for await (const _ of parts.scan(name, handler, maxBytes));
}

export function badWorkbook(words: string, cause?: unknown): ImportError {
  const message = `The extract cannot be read as a workbook: ${words}.`;
  return new ImportError("bad-file", message, cause === undefined ? {} : { cause });
}
