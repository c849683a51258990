import { create, type Font } from "fontkit";
import { ArtworkError } from "./artwork-error.ts";
import { parseTrueType, type TrueType } from "./truetype.ts";

/** A font that has been read once and is reused for every card: glyph lookup, kerned widths, outlines. */
export type CardFont = {
  readonly outlines: TrueType;
  /** The glyph of a code point, or undefined where the font has none. */
  glyph(codePoint: number): number | undefined;
  /** Kerning between two neighbours, in font units (negative draws them together). */
  kerning(left: number, right: number): number;
};

/** @throws ArtworkError `font-unusable` */
export function openCardFont(bytes: Uint8Array): CardFont {
  const outlines = parseTrueType(bytes);
  const shaper = openShaper(bytes);
  const glyphs = new Map<number, number | undefined>();
  const pairs = new Map<number, number>();
  return {
    outlines,
    glyph(codePoint) {
      if (!glyphs.has(codePoint)) {
        glyphs.set(
          codePoint,
          shaper.hasGlyphForCodePoint(codePoint) ? shaper.glyphForCodePoint(codePoint).id : undefined,
        );
      }
      return glyphs.get(codePoint);
    },
    kerning(left, right) {
      const key = left * 0x110000 + right;
      const known = pairs.get(key);
      if (known !== undefined) return known;
      const made = measureKerning(shaper, left, right);
      pairs.set(key, made);
      return made;
    },
  };
}

function openShaper(bytes: Uint8Array): Font {
  const opened = create(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (!("layout" in opened)) throw new ArtworkError("font-unusable", "a single font is required, not a collection");
  return opened;
}

function measureKerning(shaper: Font, left: number, right: number): number {
  const run = shaper.layout(String.fromCodePoint(left, right), { liga: false, clig: false, calt: false, kern: true });
  const [first] = run.glyphs;
  const [position] = run.positions;
  if (run.glyphs.length !== 2 || first === undefined || position === undefined) return 0;
  return Math.round(position.xAdvance - first.advanceWidth);
}
