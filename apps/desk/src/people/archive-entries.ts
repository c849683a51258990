import { type Entry, getFileNameLowLevel } from "yauzl";
import { ImportError } from "./import-error.ts";
import { badPhotos, isPhotoName, MAX_PHOTOS, type PhotoFaultReason } from "./photos.ts";
import { type OpenZip, openZip } from "./zip-file.ts";

const CENTRAL_HEADER = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;
/** Bits of a Unix mode that tell what kind of file it is; none where the archive comes from elsewhere. */
const FILE_KIND = 0o170000;
const REGULAR_FILE = 0o100000;
const LINK = 0o120000;

/** What is kept of an entry that may be a photo; an archive may hold a million. */
export type ArchivedPhoto = {
  readonly name: string;
  readonly path: string;
  readonly refused: PhotoFaultReason | undefined;
  readonly place: PhotoPlace;
};

export type PhotoPlace = Pick<
  Entry,
  "compressionMethod" | "crc32" | "compressedSize" | "uncompressedSize" | "relativeOffsetOfLocalHeader"
> & {
  /** The name's bytes, as Latin-1. */
  readonly rawName: string;
};

/** Opens an archive, without reading it. Throws ImportError `bad-photos`. */
export async function openArchive(path: string): Promise<OpenZip> {
  // Names and sizes are judged entry by entry: one bad entry is one photo less.
  const options = { decodeStrings: false, validateEntrySizes: false };
  return await openZip(path, options).catch((cause: unknown) => {
    throw isNotAllowed(cause)
      ? badPhotos("this user may not read the ZIP archive", cause)
      : badPhotos("the file is no ZIP archive, or it is cut off", cause);
  });
}

function isNotAllowed(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "EACCES" || cause.code === "EPERM");
}

/**
 * The entries of an archive that are photos by their names, and inner archives, in any folder of it. Refuses an archive
 * that is encrypted, or whose directory lies: entries that share bytes (so that a small file unpacks to a flood), or more
 * entries than it says. Throws ImportError `bad-photos`.
 */
export async function listArchive({ zip, read }: OpenZip): Promise<ArchivedPhoto[]> {
  if (zip.entryCount > MAX_PHOTOS) throw badPhotos(`the ZIP archive holds more than ${MAX_PHOTOS} entries`);
  const photos: ArchivedPhoto[] = [];
  const spans: Span[] = [];
  const directory = zip.readEntryCursor;
  try {
    for await (const entry of zip.eachEntry()) {
      spans.push(toSpan(entry));
      const photo = toPhoto(entry);
      if (photo === undefined) continue;
      if (entry.isEncrypted()) throw encrypted();
      photos.push(photo);
    }
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    if (cause instanceof Error && cause.message.includes("encryption")) throw encrypted(cause);
    throw badPhotos("the directory of the ZIP archive is broken or cut off", cause);
  }
  refuseOverlap([...spans, { from: directory, to: zip.readEntryCursor }]);
  await refuseFurtherEntries(read, zip.readEntryCursor);
  return photos;
}

type Span = { readonly from: number; readonly to: number };

/** The bytes that an entry takes at least: its local header may have further fields. */
function toSpan({ relativeOffsetOfLocalHeader: from, fileNameRaw, compressedSize }: Entry): Span {
  return { from, to: from + LOCAL_HEADER_BYTES + fileNameRaw.length + compressedSize };
}

function refuseOverlap(spans: Span[]): void {
  spans.sort((a, b) => a.from - b.from);
  for (const [at, { from }] of spans.entries()) {
    const before = spans[at - 1];
    if (before !== undefined && before.to > from)
      throw badPhotos("entries of the ZIP archive overlap; it is no honest one");
  }
}

/** Writers that do not know ZIP64 count to 65,535 and begin anew: the rest would be lost without a word. */
async function refuseFurtherEntries(read: OpenZip["read"], cursor: number): Promise<void> {
  const next = await read(cursor, 4).catch(() => undefined);
  if (next?.readUInt32LE(0) !== CENTRAL_HEADER) return;
  throw badPhotos("the ZIP archive holds more entries than it says; write it as ZIP64, or name the folder itself");
}

function toPhoto(entry: Entry): ArchivedPhoto | undefined {
  const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
  const path = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
  const pieces = path.replace(/\/$/, "").split("/");
  const name = pieces.at(-1) ?? "";
  const inner = /\.zip$/i.test(name) && !path.endsWith("/");
  if (!inner && !isPhotoName(name)) return undefined;
  const refused = refusePath(path, pieces) ?? refuseKind(entry, path) ?? (inner ? "archive-in-archive" : undefined);
  const { compressionMethod, crc32, compressedSize, uncompressedSize, relativeOffsetOfLocalHeader } = entry;
  const sizes = { compressionMethod, crc32, compressedSize, uncompressedSize, relativeOffsetOfLocalHeader };
  return { name, path, refused, place: { ...sizes, rawName: fileNameRaw.toString("latin1") } };
}

/** Nothing is unpacked to a disk here; but who wrote such a name meant no photo by it. */
function refusePath(path: string, pieces: readonly string[]): PhotoFaultReason | undefined {
  const unsafe = path.startsWith("/") || /^[A-Za-z]:/.test(path) || pieces.includes("..") || /\p{Cc}/u.test(path);
  return unsafe ? "photo-name-unsafe" : undefined;
}

function refuseKind({ externalFileAttributes }: Entry, path: string): PhotoFaultReason | undefined {
  const kind = (externalFileAttributes >>> 16) & FILE_KIND;
  if (kind === LINK) return "photo-is-link";
  return path.endsWith("/") || (kind !== 0 && kind !== REGULAR_FILE) ? "photo-is-not-a-file" : undefined;
}

function encrypted(cause?: unknown): ImportError {
  return badPhotos("the ZIP archive is encrypted; write it without a password, or name the folder itself", cause);
}
