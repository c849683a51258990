import { ArtworkError } from "./artwork-error.ts";

/** A baseline or progressive JPEG as a PDF holds it: the file itself, without any metadata. */
export type Portrait = {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly colourSpace: "DeviceRGB" | "DeviceGray";
  readonly jpeg: Uint8Array;
};

const MAX_SIDE_PX = 4_000;
const MARKER = { start: 0xd8, scan: 0xda, jfif: 0xe0, adobe: 0xee, firstApp: 0xe0, lastApp: 0xef, comment: 0xfe };
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);

/**
 * Reads the header of a JPEG and drops EXIF, GPS, colour profiles and comments without touching the picture.
 * @throws ArtworkError `portrait-unusable` for anything but an 8-bit grey or colour JPEG of at most 4,000 px a side.
 */
export function readPortrait(bytes: Uint8Array): Portrait {
  if (bytes[0] !== 0xff || bytes[1] !== MARKER.start) refuse("is not a JPEG");
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  let frame: { widthPx: number; heightPx: number; components: number } | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) refuse("has a damaged header");
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === MARKER.scan) {
      if (frame === undefined) refuse("has no frame that can be printed");
      const colourSpace = frame.components === 1 ? "DeviceGray" : "DeviceRGB";
      return {
        widthPx: frame.widthPx,
        heightPx: frame.heightPx,
        colourSpace,
        jpeg: Buffer.concat([...kept, bytes.subarray(at)]),
      };
    }
    const end = at + 2 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0);
    if (end < at + 4 || end > bytes.length) refuse("is cut short");
    if (FRAMES.has(marker)) frame = readFrame(bytes.subarray(at + 4, end));
    if (!isMetadata(marker)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return refuse("is cut short");
}

/** The Adobe segment stays, since it says how the colours are coded. */
function isMetadata(marker: number): boolean {
  if (marker === MARKER.comment) return true;
  return marker >= MARKER.firstApp && marker <= MARKER.lastApp && marker !== MARKER.jfif && marker !== MARKER.adobe;
}

function readFrame(frame: Uint8Array) {
  const number = (at: number) => ((frame[at] ?? 0) << 8) + (frame[at + 1] ?? 0);
  const [bits, heightPx, widthPx, components] = [frame[0], number(1), number(3), frame[5]];
  if (bits !== 8 || (components !== 1 && components !== 3)) refuse("is neither 8-bit grey nor 8-bit colour");
  if (widthPx < 1 || heightPx < 1 || widthPx > MAX_SIDE_PX || heightPx > MAX_SIDE_PX) {
    refuse(`must be between 1 and ${MAX_SIDE_PX} pixels a side`);
  }
  return { widthPx, heightPx, components };
}

function refuse(what: string): never {
  throw new ArtworkError("portrait-unusable", `the portrait ${what}`);
}
