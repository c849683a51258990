import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import sharp from "sharp";
import type { Photo, PhotoAnswer } from "./photos.ts";

/** 35 x 45 mm at 300 dots an inch. */
const PORTRAIT_WIDTH = 413;
const PORTRAIT_HEIGHT = 531;
const MAX_PHOTO_PIXELS = 40_000_000;
const MIN_SIDE = 80;
/** Visibly clean in print at that size; some 60 KB. */
const JPEG_QUALITY = 88;

// One thread an image and as many images at once as there are cores is faster than many threads on one image.
sharp.concurrency(1);
sharp.cache(false);
/** How many photos are worked on at once. */
const PHOTOS_AT_ONCE = availableParallelism();

export type Portrait = { readonly jpeg: Buffer; readonly digest: string };

/** SHA-256, hex, of a photo's bytes. */
export async function digestPhoto(photo: Photo): Promise<PhotoAnswer<string>> {
  const bytes = await readPhoto(photo);
  return bytes.ok ? { ok: true, value: digestOf(bytes.value) } : bytes;
}

/**
 * The portrait of a photo: JPEG, 413 x 531, turned as EXIF says, cropped to 35:45, without any metadata. Files above
 * 20 MB, images above 40 megapixels and anything but JPEG, PNG and WebP are refused.
 */
export async function makePortrait(photo: Photo): Promise<PhotoAnswer<Portrait>> {
  const bytes = await readPhoto(photo);
  if (!bytes.ok) return bytes;
  const jpeg = await toPortrait(bytes.value);
  return jpeg.ok ? { ok: true, value: { jpeg: jpeg.value, digest: digestOf(bytes.value) } } : jpeg;
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function readPhoto(photo: Photo): Promise<PhotoAnswer<Buffer>> {
  if (photo.refused !== undefined) return { ok: false, reason: photo.refused };
  const bytes = await photo.read();
  return !bytes.ok || isKnownImage(bytes.value) ? bytes : { ok: false, reason: "photo-not-an-image" };
}

function isKnownImage(bytes: Buffer): boolean {
  const hex = bytes.subarray(0, 12).toString("hex");
  return hex.startsWith("ffd8ff") || hex.startsWith("89504e470d0a1a0a") || /^52494646.{8}57454250$/.test(hex);
}

async function toPortrait(bytes: Buffer): Promise<PhotoAnswer<Buffer>> {
  try {
    const image = sharp(bytes, { limitInputPixels: MAX_PHOTO_PIXELS, failOn: "error", sequentialRead: true });
    const { width, height } = await image.metadata();
    if (width * height > MAX_PHOTO_PIXELS) return { ok: false, reason: "photo-too-many-pixels" };
    if (Math.min(width, height) < MIN_SIDE) return { ok: false, reason: "photo-too-small" };
    const jpeg = await image
      .autoOrient()
      .resize(PORTRAIT_WIDTH, PORTRAIT_HEIGHT, { fit: "cover", position: "top" })
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer();
    return { ok: true, value: jpeg };
  } catch (cause) {
    const tooMany = cause instanceof Error && /pixel limit/i.test(cause.message);
    return { ok: false, reason: tooMany ? "photo-too-many-pixels" : "photo-not-an-image" };
  }
}

/** Runs `work` over `items`, PHOTOS_AT_ONCE at a time; the answers in the order of the items. */
export async function eachPhoto<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) answers[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PHOTOS_AT_ONCE, items.length) }, worker));
  return answers;
}
