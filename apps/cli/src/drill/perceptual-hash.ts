import type { Sharp } from "sharp";

const WIDTH = 9;
const HEIGHT = 8;

/**
 * A 64-bit difference hash: the signs of brightness steps over a 9 x 8 picture. It survives re-encoding, scaling and
 * recolouring; pictures of different people differ in about half of the bits.
 */
export async function perceptualHash(image: Sharp): Promise<bigint> {
  const pixels = await image
    .flatten({ background: "#fff" })
    .greyscale()
    .resize(WIDTH, HEIGHT, { fit: "fill" })
    .raw()
    .toBuffer();
  let hash = 0n;
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH - 1; x += 1) {
      const left = pixels[y * WIDTH + x] ?? 0;
      const right = pixels[y * WIDTH + x + 1] ?? 0;
      hash = (hash << 1n) | (left > right ? 1n : 0n);
    }
  }
  return hash;
}

/** How many bits differ. */
export function hammingDistance(a: bigint, b: bigint): number {
  let rest = a ^ b;
  let bits = 0;
  while (rest > 0n) {
    bits += Number(rest & 1n);
    rest >>= 1n;
  }
  return bits;
}
