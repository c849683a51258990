import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { listArchive, openArchive, type PhotoPlace } from "./archive-entries.ts";
import { indexPhotos, MAX_PHOTO_BYTES, type NamedPhoto, type PhotoAnswer, type Photos } from "./photos.ts";
import type { OpenZip } from "./zip-file.ts";

const STORED = 0;
const DEFLATED = 8;
const inflate = promisify(inflateRaw);

/**
 * Lists a ZIP archive of photos, ZIP64 too, and keeps it open; nothing is unpacked but one photo at a time, in memory.
 * Photos may lie in any folder of it. Throws ImportError `bad-photos`.
 */
export async function openPhotoArchive(path: string): Promise<Photos> {
  const archive = await openArchive(path);
  const { zip } = archive;
  try {
    const listed = await listArchive(archive);
    const named = listed.map(
      ({ place, ...photo }): NamedPhoto => ({ ...photo, read: () => readArchived(archive, place) }),
    );
    return indexPhotos(named, () => zip.close());
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readArchived(archive: OpenZip, place: PhotoPlace): Promise<PhotoAnswer<Buffer>> {
  const { compressionMethod: method, compressedSize, uncompressedSize } = place;
  if (method !== STORED && method !== DEFLATED) return { ok: false, reason: "photo-unknown-compression" };
  if (Math.max(compressedSize, uncompressedSize) > MAX_PHOTO_BYTES) return { ok: false, reason: "photo-too-large" };
  try {
    const packed = await readPacked(archive, place);
    // What unpacks to more than the directory says is cut off there.
    const maxOutputLength = Math.max(uncompressedSize, 1);
    const bytes = method === STORED ? packed : await inflate(packed, { maxOutputLength });
    const honest = bytes.length === uncompressedSize && crc32(bytes) === place.crc32;
    return honest ? { ok: true, value: bytes } : { ok: false, reason: "photo-unreadable" };
  } catch {
    return { ok: false, reason: "photo-unreadable" };
  }
}

/** The entry's bytes as they lie in the archive. Throws where its own header tells another story than the directory. */
async function readPacked({ zip, read }: OpenZip, place: PhotoPlace): Promise<Buffer> {
  const local = await zip.readLocalFileHeaderPromise(place, { minimal: false });
  const same =
    local.compressionMethod === place.compressionMethod && local.fileName.toString("latin1") === place.rawName;
  if (!same) throw new RangeError("an entry and the directory of its archive differ");
  return await read(local.fileDataStart, place.compressedSize);
}
