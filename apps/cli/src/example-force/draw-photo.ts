import sharp from "sharp";
import type { Face } from "./draw-face.ts";
import { type RandomStream, randomStream } from "./random-stream.ts";

export type DrawnPhoto = { readonly ending: "jpg" | "png" | "webp"; readonly bytes: Uint8Array };

type Picture = { readonly widthPx: number; readonly heightPx: number; readonly rgb: Uint8Array };

const SIZES = [
  { widthPx: 413, heightPx: 531, weight: 80 },
  { widthPx: 420, heightPx: 560, weight: 12 },
  { widthPx: 440, heightPx: 570, weight: 8 },
];
const SHARES = { turned: 0.06, placed: 0.08, png: 0.012, webp: 0.012 };
const TURNS = [
  { orientation: 3, degrees: 180 },
  { orientation: 6, degrees: 270 },
  { orientation: 8, degrees: 90 },
];
const WALLS: readonly (readonly [number, number, number])[] = [
  [214, 222, 230],
  [226, 226, 222],
  [199, 213, 224],
  [222, 214, 204],
  [205, 219, 213],
  [186, 197, 209],
];

/** A photograph as somebody took it: their own wall, light, distance and camera, some turned and some with a place in it. */
export async function drawPhoto(face: Face, ...seed: readonly (string | number)[]): Promise<DrawnPhoto> {
  const random = randomStream("photo", ...seed);
  const picture = paint(face, random);
  const image = sharp(picture.rgb, { raw: { width: picture.widthPx, height: picture.heightPx, channels: 3 } });
  if (random.chance(SHARES.png)) return { ending: "png", bytes: await image.png({ compressionLevel: 6 }).toBuffer() };
  if (random.chance(SHARES.webp))
    return { ending: "webp", bytes: await image.webp({ quality: 82, effort: 2 }).toBuffer() };
  const turn = random.chance(SHARES.turned) ? random.pick(TURNS) : undefined;
  if (turn !== undefined) image.rotate(turn.degrees).withMetadata({ orientation: turn.orientation });
  if (random.chance(SHARES.placed))
    image.withExifMerge({ IFD0: { Make: "Specimen", Model: "Pocket 3" }, IFD3: place(random) });
  return { ending: "jpg", bytes: await image.jpeg({ quality: 86 }).toBuffer() };
}

/** A point at sea, where nobody lives. */
function place(random: RandomStream): Record<string, string> {
  return {
    GPSLatitudeRef: "N",
    GPSLatitude: `54/1 ${random.between(0, 59)}/1 ${random.between(0, 5999)}/100`,
    GPSLongitudeRef: "E",
    GPSLongitude: `3/1 ${random.between(0, 59)}/1 ${random.between(0, 5999)}/100`,
  };
}

/** Face over wall in one pass: shifted, perhaps mirrored, a little brighter or warmer. */
function paint(face: Face, random: RandomStream): Picture {
  const { widthPx, heightPx } = random.pickWeighted(SIZES);
  const wall = random.pick(WALLS).map((tone) => tone + random.between(-10, 10));
  const [across, down] = [random.between(-14, 14) / 100, random.between(-16, 4) / 100];
  const mirrored = random.chance(0.5);
  const left = Math.round((widthPx - face.widthPx) / 2) + random.between(-14, 14);
  const top = Math.max(heightPx - face.heightPx, -20) + random.between(0, 18);
  const tints = [0, 1, 2].map(() => 0.95 + random.fraction() * 0.08);
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0; y < heightPx; y++) {
    const faceY = Math.min(face.heightPx - 1, y - top);
    for (let x = 0; x < widthPx; x++) {
      const light = 1 + across * (x / widthPx - 0.5) + down * (y / heightPx - 0.3);
      const faceX = mirrored ? face.widthPx - 1 - (x - left) : x - left;
      const inside = faceX >= 0 && faceX < face.widthPx && faceY >= 0;
      const from = (faceY * face.widthPx + faceX) * 4;
      const alpha = inside ? (face.rgba[from + 3] ?? 0) / 255 : 0;
      const to = (y * widthPx + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const behind = (wall[channel] ?? 0) * light;
        const skin = inside ? (face.rgba[from + channel] ?? 0) * (tints[channel] ?? 1) : 0;
        rgb[to + channel] = Math.max(0, Math.min(255, behind + (skin - behind) * alpha));
      }
    }
  }
  return { widthPx, heightPx, rgb };
}
