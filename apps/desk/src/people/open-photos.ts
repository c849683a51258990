import { stat } from "node:fs/promises";
import { openPhotoArchive } from "./photo-archive.ts";
import { openPhotoFolder } from "./photo-folder.ts";
import { badPhotos, type Photos } from "./photos.ts";

/** Opens a folder or a ZIP archive of photos. Throws ImportError `bad-photos`. */
export async function openPhotos(path: string): Promise<Photos> {
  const found = await stat(path).catch((cause: unknown) => {
    throw badPhotos("the folder or ZIP archive does not exist, or this user may not look at it", cause);
  });
  if (found.isDirectory()) return await openPhotoFolder(path);
  if (!found.isFile()) throw badPhotos("what was named is neither a folder nor a file");
  return await openPhotoArchive(path);
}
