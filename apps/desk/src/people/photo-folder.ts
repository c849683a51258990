import { constants } from "node:fs";
import { open, opendir } from "node:fs/promises";
import { join } from "node:path";
import {
  badPhotos,
  indexPhotos,
  isPhotoName,
  MAX_PHOTO_BYTES,
  MAX_PHOTOS,
  type NamedPhoto,
  type PhotoAnswer,
  type Photos,
} from "./photos.ts";

/**
 * Lists a folder of photos, without following links and without opening anything; folders in it are not entered.
 * Throws ImportError `bad-photos`.
 */
export async function openPhotoFolder(folder: string): Promise<Photos> {
  const named: NamedPhoto[] = [];
  const entries = await opendir(folder).catch((cause: unknown) => {
    throw badPhotos("the folder cannot be opened; has this user the right to?", cause);
  });
  for await (const entry of entries) {
    if (!isPhotoName(entry.name)) continue;
    if (named.length >= MAX_PHOTOS) throw badPhotos(`the folder holds more than ${MAX_PHOTOS}`);
    const refused = entry.isSymbolicLink() ? "photo-is-link" : entry.isFile() ? undefined : "photo-is-not-a-file";
    named.push({ name: entry.name, refused, read: () => readPhotoFile(join(folder, entry.name)) });
  }
  return indexPhotos(named, () => undefined);
}

/** The bytes of a photo's file; a link, a device or a pipe is not followed, opened or waited for. */
export async function readPhotoFile(path: string): Promise<PhotoAnswer<Buffer>> {
  // The folder may change under us: the file itself is asked again, through the handle that is read.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return { ok: false, reason: "photo-unreadable" };
  try {
    const found = await handle.stat();
    if (!found.isFile()) return { ok: false, reason: "photo-is-not-a-file" };
    if (found.size > MAX_PHOTO_BYTES) return { ok: false, reason: "photo-too-large" };
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await handle.read(bytes, 0, found.size, 0);
    return bytesRead === found.size ? { ok: true, value: bytes } : { ok: false, reason: "photo-unreadable" };
  } catch {
    return { ok: false, reason: "photo-unreadable" };
  } finally {
    await handle.close();
  }
}
