import type { Sharp } from "sharp";

const SIDE = 32;
const LOW = 8;
/** cosines[u][x] of the discrete cosine transform, for the low frequencies alone. */
const COSINES = Array.from({ length: LOW }, (_, u) =>
  Array.from({ length: SIDE }, (_unused, x) => Math.cos(((2 * x + 1) * u * Math.PI) / (2 * SIDE))),
);

/**
 * A 63-bit perceptual hash: which low frequencies of the grey picture lie above their median. It survives re-encoding,
 * scaling and recolouring; pictures of different people differ in about half of the bits.
 */
export async function perceptualHash(image: Sharp): Promise<bigint> {
  const grey = image.flatten({ background: "#fff" }).greyscale().resize(SIDE, SIDE, { fit: "fill" });
  const pixels = await grey.raw().toBuffer();
  const rows = COSINES.map((cosines) =>
    Array.from({ length: SIDE }, (_, y) =>
      cosines.reduce((sum, cosine, x) => sum + cosine * (pixels[y * SIDE + x] ?? 0), 0),
    ),
  );
  const frequencies = rows.flatMap((row) =>
    COSINES.map((cosines) => cosines.reduce((sum, cosine, y) => sum + cosine * (row[y] ?? 0), 0)),
  );
  const changing = frequencies.slice(1);
  const median = [...changing].sort((a, b) => a - b)[changing.length >> 1] ?? 0;
  return changing.reduce((hash, frequency) => (hash << 1n) | (frequency > median ? 1n : 0n), 0n);
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
