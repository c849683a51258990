import type { CardFont } from "./card-font.ts";

/** One line as code points, each with the kerning (font units) that follows it. */
export type Line = {
  readonly codePoints: readonly number[];
  readonly kerns: readonly number[];
  readonly width: number;
};
export type FittedText = { readonly sizePt: number; readonly lines: readonly Line[] };
export type Room = { widthPt: number; sizePt: number; minSizePt: number; maxLines: number; trackingPt: number };

const STEP_PT = 0.25;
const FIRST_PRINTABLE = 0x20;

/** The first code point that this font cannot print; control characters count as such. */
export function missingGlyph(font: CardFont, text: string): number | undefined {
  for (const character of text.normalize("NFC")) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < FIRST_PRINTABLE || font.glyph(codePoint) === undefined) return codePoint;
  }
  return undefined;
}

/**
 * The largest size between the two, in quarter points, at which the text stands in its room, broken at spaces and after
 * hyphens; undefined when even the smallest is too large. `\n` always breaks. `width` of the lines is in points.
 */
export function fitText(font: CardFont, text: string, room: Room): FittedText | undefined {
  const paragraphs = text.normalize("NFC").split("\n").map(breakable);
  for (let sizePt = room.sizePt; sizePt >= room.minSizePt - 1e-9; sizePt -= STEP_PT) {
    const lines = wrap(font, paragraphs, { ...room, sizePt });
    if (lines !== undefined) return { sizePt, lines };
  }
  return undefined;
}

const breakable = (paragraph: string): readonly string[] => paragraph.match(/[^\s-]*(?:-+|\s+|$)/g) ?? [];

function wrap(font: CardFont, paragraphs: readonly (readonly string[])[], room: Room): Line[] | undefined {
  const lines: Line[] = [];
  for (const pieces of paragraphs) {
    let pending = "";
    for (const piece of pieces) {
      if (pending !== "" && shapeLine(font, (pending + piece).trimEnd(), room).width > room.widthPt) {
        lines.push(shapeLine(font, pending.trimEnd(), room));
        pending = "";
      }
      pending += piece;
      if (lines.length >= room.maxLines) return undefined;
    }
    lines.push(shapeLine(font, pending.trimEnd(), room));
  }
  return lines.length > room.maxLines || lines.some((line) => line.width > room.widthPt) ? undefined : lines;
}

function shapeLine(font: CardFont, text: string, { sizePt, trackingPt }: Room): Line {
  const codePoints = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const kerns = codePoints.map((codePoint, index) => {
    const next = codePoints[index + 1];
    return next === undefined ? 0 : font.kerning(codePoint, next);
  });
  const advance = (codePoint: number) => font.outlines.advance(font.glyph(codePoint) ?? 0);
  const units = codePoints.reduce((sum, codePoint, index) => sum + advance(codePoint) + (kerns[index] ?? 0), 0);
  const tracking = Math.max(0, codePoints.length - 1) * trackingPt;
  return { codePoints, kerns, width: (units / font.outlines.unitsPerEm) * sizePt + tracking };
}
