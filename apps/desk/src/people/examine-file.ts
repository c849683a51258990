import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ImportError } from "./import-error.ts";

const MAX_FILE_BYTES = 2 * 1024 ** 3;
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const EMPTY_ZIP = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const COMPOUND = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);

const ACCENT_LEAD = 0xc3;
const LINE_FEED = 0x0a;

export type Encoding = "utf-8" | "windows-1252";
export type ExaminedFile = { readonly bytes: number; readonly digest: Buffer; readonly stamp: string } & (
  | { readonly format: "csv"; readonly encoding: Encoding }
  | { readonly format: "xlsx" }
);

/**
 * Reads a file once through: its digest, whether it is a workbook, and in which encoding its text is. Bytes that are
 * not UTF-8 are Windows-1252, unless UTF-8 stands among them: then one bad letter would spoil all good ones. Throws ImportError `bad-file` for anything else than a table.
 */
export async function examineFile(path: string): Promise<ExaminedFile> {
  const { bytes, stamp } = await examineStat(path);
  const hash = createHash("sha256");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let isUtf8 = true;
  let hasUtf8 = false;
  let before = 0;
  let format: "csv" | "xlsx" | undefined;
  for await (const part of readPieces(path)) {
    format ??= formatOf(part);
    hash.update(part);
    if (format === "xlsx") continue;
    if (part.includes(0)) throw bad("holds NUL bytes: it is no text, or it is UTF-16. Save it as CSV UTF-8");
    isUtf8 &&= decodes(utf8, part);
    hasUtf8 ||= holdsAccent(part, before);
    before = part.at(-1) ?? 0;
  }
  if (format === "csv" && isUtf8) isUtf8 = decodes(utf8);
  if (format === "csv" && !isUtf8 && hasUtf8) {
    const words = `holds UTF-8, but not in line ${await findBadLine(path)}: it is damaged, cut off, or put together of two`;
    throw bad(`${words}. Save it as CSV UTF-8 again`);
  }
  const digest = hash.digest();
  if (format === undefined) throw bad("is empty");
  if (format === "xlsx") return { bytes, digest, stamp, format };
  return { bytes, digest, stamp, format, encoding: isUtf8 ? "utf-8" : "windows-1252" };
}

async function* readPieces(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk;
  } catch (cause) {
    throw bad("cannot be read; has this user the right to?", cause);
  }
}

async function examineStat(path: string): Promise<{ bytes: number; stamp: string }> {
  const found = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw bad("does not exist, or this user may not look at it", cause);
  });
  if (!found.isFile()) throw bad("is not an ordinary file");
  if (found.size === 0n) throw bad("is empty");
  if (found.size > MAX_FILE_BYTES) throw bad("is larger than 2 GiB");
  return { bytes: Number(found.size), stamp: `${found.ino}/${found.size}/${found.mtimeNs}` };
}

/** Throws ImportError `changed-meanwhile` when the file is no longer the one that was examined. */
export async function assertUnchanged(path: string, stamp: string): Promise<void> {
  const now = await examineStat(path).catch(() => undefined);
  if (now?.stamp === stamp) return;
  throw new ImportError("changed-meanwhile", "The extract changed while it was read; nothing was imported.");
}

function formatOf(start: Buffer): "csv" | "xlsx" {
  if (start.subarray(0, 4).equals(ZIP) || start.subarray(0, 4).equals(EMPTY_ZIP)) return "xlsx";
  if (start.subarray(0, 4).equals(COMPOUND)) {
    throw bad("is an old or password-protected workbook. Save it as .xlsx without a password, or as CSV UTF-8");
  }
  const utf16 = start.length >= 2 && (start.readUInt16BE(0) === 0xfeff || start.readUInt16BE(0) === 0xfffe);
  if (utf16) throw bad("is UTF-16. Save it as CSV UTF-8");
  return "csv";
}

/** Does one of the accented letters of Western names stand here, as UTF-8? Windows-1252 would read "Ã" and a sign. */
function holdsAccent(part: Buffer, before: number): boolean {
  const follows = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x80 && byte <= 0xbf;
  if (before === ACCENT_LEAD && follows(part[0])) return true;
  for (let at = part.indexOf(ACCENT_LEAD); at >= 0; at = part.indexOf(ACCENT_LEAD, at + 1)) {
    if (follows(part[at + 1])) return true;
  }
  return false;
}

/** The first line that is not UTF-8. */
async function findBadLine(path: string): Promise<number> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for await (const part of readPieces(path)) {
    for (let from = 0; from < part.length; ) {
      const end = part.indexOf(LINE_FEED, from) + 1 || part.length;
      if (!decodes(decoder, part.subarray(from, end))) return line;
      if (part[end - 1] === LINE_FEED) line += 1;
      from = end;
    }
  }
  return line;
}

function decodes(decoder: InstanceType<typeof TextDecoder>, part?: Buffer): boolean {
  try {
    decoder.decode(part, { stream: part !== undefined });
    return true;
  } catch {
    return false;
  }
}

function bad(words: string, cause?: unknown): ImportError {
  return new ImportError("bad-file", `The extract ${words}.`, cause === undefined ? {} : { cause });
}
