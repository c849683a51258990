import { deflateSync } from "node:zlib";
import type { CardFont } from "./card-font.ts";
import { ascii, deflatedObject, type PdfObject, plainObject, streamObject } from "./pdf-file.ts";
import { num } from "./pdf-operators.ts";
import type { Line } from "./shape-text.ts";

export const FONT_OBJECTS = 5;

/** How many different sets of extra letters are kept ready; names with the same accents share one. */
const KEPT_SUBSETS = 64;
const EM = 1000;
const MAX_BFCHAR = 100;

/** A font as cards embed it: one small font shared by all cards, with a few letters more where a name needs them. */
export type EmbeddedFont = {
  /** Adds letters to the part that every card shares; only before the first card. */
  share(text: string): void;
  /** The code points of these lines that the shared part lacks, in a fixed order. */
  extras(lines: Iterable<Line>): number[];
  /** A TJ operand, in which letters have the numbers of the small font. */
  show(line: Line, extras: readonly number[]): string;
  /** `FONT_OBJECTS` objects, numbered from the first id; the first is the font that a page names. */
  objects(extras: readonly number[]): PdfObject[];
};

export function embedFont(font: CardFont, { name, firstId }: { name: string; firstId: number }): EmbeddedFont {
  const shared: number[] = [];
  const places = new Map<number, number>();
  const kept = new Map<string, PdfObject[]>();
  const place = (codePoint: number, extras: readonly number[]) =>
    1 + (places.get(codePoint) ?? shared.length + extras.indexOf(codePoint));
  const objects = (extras: readonly number[]): PdfObject[] => {
    const key = extras.join();
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = fontObjects({ firstId, name, font, subset: makeSubset(font, [...shared, ...extras]) });
    const [oldest] = kept.keys();
    if (kept.size >= KEPT_SUBSETS && oldest !== undefined) kept.delete(oldest);
    kept.set(key, made);
    return made;
  };
  return {
    share(text) {
      for (const character of text.normalize("NFC")) {
        const codePoint = character.codePointAt(0) ?? 0;
        if (font.glyph(codePoint) === undefined || places.has(codePoint)) continue;
        places.set(codePoint, shared.push(codePoint) - 1);
      }
    },
    extras(lines) {
      const wanted = new Set<number>();
      for (const { codePoints } of lines) {
        for (const codePoint of codePoints) if (!places.has(codePoint)) wanted.add(codePoint);
      }
      return [...wanted].sort((left, right) => left - right);
    },
    show: (line, extras) => showLine(line, (codePoint) => place(codePoint, extras), font.outlines.unitsPerEm),
    objects,
  };
}

type Subset = {
  readonly file: Uint8Array;
  readonly length: number;
  readonly widths: string;
  readonly unicode: Uint8Array;
};

function makeSubset(font: CardFont, codePoints: readonly number[]): Subset {
  const { outlines } = font;
  const glyphs = [0, ...codePoints.map((codePoint) => font.glyph(codePoint) ?? 0)];
  const file = outlines.subset(glyphs);
  const widths = glyphs.map((glyph) => num((outlines.advance(glyph) / outlines.unitsPerEm) * EM)).join(" ");
  return { file: deflateSync(file), length: file.length, widths, unicode: ascii(toUnicode(codePoints)) };
}

/** Lets a reader copy and search the text (ISO 32000-1, 9.10.3). */
function toUnicode(codePoints: readonly number[]): string {
  const rows = codePoints.map((codePoint, index) => `<${hex(index + 1)}> <${utf16(codePoint)}>\n`);
  const blocks: string[] = [];
  for (let at = 0; at < rows.length; at += MAX_BFCHAR) {
    const block = rows.slice(at, at + MAX_BFCHAR);
    blocks.push(`${block.length} beginbfchar\n${block.join("")}endbfchar\n`);
  }
  return [
    "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n",
    "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n",
    "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n",
    "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n",
    ...blocks,
    "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n",
  ].join("");
}

function showLine(line: Line, place: (codePoint: number) => number, unitsPerEm: number): string {
  let out = "";
  line.codePoints.forEach((codePoint, index) => {
    out += hex(place(codePoint));
    const kern = line.kerns[index] ?? 0;
    if (kern !== 0) out += `>${num((-kern / unitsPerEm) * EM)}<`;
  });
  return `[<${out}>]`;
}

type FontParts = { firstId: number; name: string; font: CardFont; subset: Subset };

function fontObjects({ firstId, name, font, subset }: FontParts): PdfObject[] {
  const { bounds, ascent, descent, unitsPerEm } = font.outlines;
  const scale = (value: number) => num((value / unitsPerEm) * EM);
  const [descendant, descriptor, file, unicode] = [firstId + 1, firstId + 2, firstId + 3, firstId + 4];
  return [
    plainObject(
      firstId,
      `<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/Identity-H/DescendantFonts[${descendant} 0 R]/ToUnicode ${unicode} 0 R>>`,
    ),
    plainObject(
      descendant,
      `<</Type/Font/Subtype/CIDFontType2/BaseFont/${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor ${descriptor} 0 R/DW 0/W[0[${subset.widths}]]/CIDToGIDMap/Identity>>`,
    ),
    plainObject(
      descriptor,
      `<</Type/FontDescriptor/FontName/${name}/Flags 4/FontBBox[${bounds.map(scale).join(" ")}]/ItalicAngle 0/Ascent ${scale(ascent)}/Descent ${scale(descent)}/CapHeight ${scale(ascent)}/StemV 80/FontFile2 ${file} 0 R>>`,
    ),
    streamObject(file, `/Length1 ${subset.length}/Filter/FlateDecode`, subset.file),
    deflatedObject(unicode, "", subset.unicode),
  ];
}

const hex = (value: number) => value.toString(16).padStart(4, "0");

function utf16(codePoint: number): string {
  const text = String.fromCodePoint(codePoint);
  return Array.from({ length: text.length }, (_, index) => hex(text.charCodeAt(index))).join("");
}
