import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, join, parse as parsePath } from "node:path";
import sharp from "sharp";
import type { KnownPortraits } from "./known-people.ts";
import { hammingDistance, perceptualHash } from "./perceptual-hash.ts";

const ENDINGS = [".jpg", ".jpeg", ".png", ".webp"];
/** Portraits of different people differ in about 32 of 63 bits; a re-encoded one in a handful. */
const SAME_PORTRAIT_BITS = 6;

/**
 * Whose portrait is one of these images? The known portraits are read only when there is an image to compare with:
 * a force's take minutes.
 */
export async function ownersOf(
  images: readonly bigint[],
  { photos, byPayNumber }: KnownPortraits,
): Promise<Set<number>> {
  const owners = new Set<number>();
  if (images.length === 0 || !existsSync(photos)) return owners;
  const named = await byPayNumber();
  const files = readdirSync(photos).values();
  const compare = async () => {
    for (const file of files) {
      const person = named.get(parsePath(file).name);
      if (person === undefined || !ENDINGS.includes(extname(file).toLowerCase())) continue;
      // What cannot be read as an image was not imported as one either.
      const hash = await perceptualHash(sharp(join(photos, file)).rotate()).catch(() => undefined);
      if (hash === undefined) continue;
      if (images.some((image) => hammingDistance(image, hash) <= SAME_PORTRAIT_BITS)) owners.add(person);
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, compare));
  return owners;
}
