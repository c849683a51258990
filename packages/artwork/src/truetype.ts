import { ArtworkError } from "./artwork-error.ts";

/** Reads outlines out of a TrueType file and writes small fonts that hold only some of them (ISO/IEC 14496-22, tables glyf, loca, head, hhea, hmtx, maxp). */
export type TrueType = {
  readonly unitsPerEm: number;
  readonly glyphCount: number;
  readonly bounds: readonly [number, number, number, number];
  readonly ascent: number;
  readonly descent: number;
  advance(glyph: number): number;
  /** A font with exactly these glyphs, renumbered 0, 1, 2 … in this order, followed by the parts that composites need. */
  subset(glyphs: readonly number[]): Uint8Array;
};

const COMPONENT = {
  wordArguments: 0x0001,
  scale: 0x0008,
  more: 0x0020,
  xyScale: 0x0040,
  matrix: 0x0080,
  hinted: 0x0100,
};
const RESTRICTED_EMBEDDING = 0x0002;

/** @throws ArtworkError `font-unusable` for anything but a TrueType font whose licence bits allow embedding. */
export function parseTrueType(bytes: Uint8Array): TrueType {
  try {
    return readTrueType(bytes);
  } catch (error) {
    if (error instanceof ArtworkError) throw error;
    throw new ArtworkError("font-unusable", "the font file is cut short or damaged");
  }
}

function readTrueType(bytes: Uint8Array): TrueType {
  const tables = readDirectory(bytes);
  const table = (tag: string): DataView => {
    const found = tables.get(tag);
    if (found === undefined) throw new ArtworkError("font-unusable", `a TrueType font with a ${tag} table is required`);
    return found;
  };
  const [head, hhea, hmtx, maxp, loca, glyf] = [
    table("head"),
    table("hhea"),
    table("hmtx"),
    table("maxp"),
    table("loca"),
    table("glyf"),
  ];
  if (((tables.get("OS/2")?.getUint16(8) ?? 0) & 0x000f) === RESTRICTED_EMBEDDING) {
    throw new ArtworkError("font-unusable", "the font's licence bits (fsType) forbid embedding");
  }
  const longOffsets = head.getInt16(50) === 1;
  const offset = (glyph: number) => (longOffsets ? loca.getUint32(glyph * 4) : loca.getUint16(glyph * 2) * 2);
  const metricCount = hhea.getUint16(34);
  const metricAt = (glyph: number) => Math.min(glyph, metricCount - 1) * 4;
  const glyphCount = maxp.getUint16(4);
  const outlines = new Map<number, Outline>();
  const outline = (glyph: number): Outline => {
    const known = outlines.get(glyph);
    if (known !== undefined) return known;
    if (glyph >= glyphCount)
      throw new ArtworkError("font-unusable", "the font refers to a glyph that it does not hold");
    const [start, end] = [offset(glyph), offset(glyph + 1)];
    const made = readOutline(new Uint8Array(glyf.buffer, glyf.byteOffset + start, end - start));
    outlines.set(glyph, made);
    return made;
  };
  const leftBearing = (glyph: number) =>
    glyph < metricCount ? hmtx.getInt16(glyph * 4 + 2) : hmtx.getInt16(metricCount * 4 + (glyph - metricCount) * 2);
  const advance = (glyph: number) => hmtx.getUint16(metricAt(glyph));
  return {
    unitsPerEm: head.getUint16(18),
    glyphCount,
    bounds: [head.getInt16(36), head.getInt16(38), head.getInt16(40), head.getInt16(42)],
    ascent: hhea.getInt16(4),
    descent: hhea.getInt16(6),
    advance,
    subset: (glyphs) => writeSubset({ glyphs, head, hhea, maxp, outline, advance, leftBearing }),
  };
}

function readDirectory(bytes: Uint8Array): Map<string, DataView> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0);
  if (version !== 0x00010000 && version !== 0x74727565) {
    throw new ArtworkError("font-unusable", "not a TrueType font (a .ttf with glyf outlines is required)");
  }
  const tables = new Map<string, DataView>();
  for (let index = 0; index < view.getUint16(4); index++) {
    const at = 12 + index * 16;
    const tag = String.fromCharCode(...bytes.subarray(at, at + 4));
    tables.set(tag, new DataView(bytes.buffer, bytes.byteOffset + view.getUint32(at + 8), view.getUint32(at + 12)));
  }
  return tables;
}

type Outline = {
  readonly bytes: Uint8Array;
  readonly components: readonly { readonly at: number; readonly glyph: number }[];
};

/** Drops hinting programs: a card printer's 300 dpi gains nothing from them, and they are half of a font's weight. */
function readOutline(raw: Uint8Array): Outline {
  if (raw.length === 0) return { bytes: raw, components: [] };
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const contours = view.getInt16(0);
  if (contours < 0) return readComposite(raw);
  const lengthAt = 10 + contours * 2;
  const programLength = view.getUint16(lengthAt);
  const bytes = new Uint8Array(raw.length - programLength);
  bytes.set(raw.subarray(0, lengthAt));
  bytes.set(raw.subarray(lengthAt + 2 + programLength), lengthAt + 2);
  return { bytes, components: [] };
}

function readComposite(raw: Uint8Array): Outline {
  const bytes = raw.slice();
  const view = new DataView(bytes.buffer);
  const components: { at: number; glyph: number }[] = [];
  let at = 10;
  for (let flags = COMPONENT.more; (flags & COMPONENT.more) !== 0; ) {
    flags = view.getUint16(at);
    view.setUint16(at, flags & ~COMPONENT.hinted);
    components.push({ at: at + 2, glyph: view.getUint16(at + 2) });
    at += 4 + ((flags & COMPONENT.wordArguments) !== 0 ? 4 : 2);
    if ((flags & COMPONENT.scale) !== 0) at += 2;
    else if ((flags & COMPONENT.xyScale) !== 0) at += 4;
    else if ((flags & COMPONENT.matrix) !== 0) at += 8;
  }
  return { bytes: bytes.subarray(0, at), components };
}

type SubsetParts = {
  glyphs: readonly number[];
  head: DataView;
  hhea: DataView;
  maxp: DataView;
  outline(glyph: number): Outline;
  advance(glyph: number): number;
  leftBearing(glyph: number): number;
};

function writeSubset(parts: SubsetParts): Uint8Array {
  const order = [...parts.glyphs];
  const places = new Map(order.map((glyph, index) => [glyph, index]));
  const place = (glyph: number): number => {
    const known = places.get(glyph);
    if (known !== undefined) return known;
    places.set(glyph, order.length);
    return order.push(glyph) - 1;
  };
  const outlines: Uint8Array[] = [];
  for (let index = 0; index < order.length; index++) {
    const { bytes, components } = parts.outline(order[index] ?? 0);
    const copy = bytes.slice();
    for (const { at, glyph } of components) new DataView(copy.buffer).setUint16(at, place(glyph));
    outlines.push(copy);
  }
  const count = order.length;
  const loca = new DataView(new ArrayBuffer((count + 1) * 4));
  const hmtx = new DataView(new ArrayBuffer(count * 4));
  const glyf = new Uint8Array(outlines.reduce((sum, one) => sum + padded(one.length), 0));
  let at = 0;
  outlines.forEach((bytes, index) => {
    glyf.set(bytes, at);
    at += padded(bytes.length);
    loca.setUint32((index + 1) * 4, at);
    hmtx.setUint16(index * 4, parts.advance(order[index] ?? 0));
    hmtx.setInt16(index * 4 + 2, parts.leftBearing(order[index] ?? 0));
  });
  const [head, hhea, maxp] = [copyOf(parts.head), copyOf(parts.hhea), copyOf(parts.maxp)];
  head.setInt16(50, 1);
  hhea.setUint16(34, count);
  maxp.setUint16(4, count);
  return assemble([
    ["glyf", glyf],
    ["head", bytesOf(head)],
    ["hhea", bytesOf(hhea)],
    ["hmtx", bytesOf(hmtx)],
    ["loca", bytesOf(loca)],
    ["maxp", bytesOf(maxp)],
  ]);
}

const padded = (length: number) => (length + 3) & ~3;
const bytesOf = (view: DataView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const copyOf = (view: DataView) => new DataView(bytesOf(view).slice().buffer);

function assemble(tables: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const headerLength = 12 + tables.length * 16;
  const file = new Uint8Array(tables.reduce((sum, [, bytes]) => sum + padded(bytes.length), headerLength));
  const view = new DataView(file.buffer);
  const power = Math.floor(Math.log2(tables.length));
  view.setUint32(0, 0x00010000);
  view.setUint16(4, tables.length);
  view.setUint16(6, 2 ** power * 16);
  view.setUint16(8, power);
  view.setUint16(10, tables.length * 16 - 2 ** power * 16);
  let at = headerLength;
  let headAt = 0;
  tables.forEach(([tag, bytes], index) => {
    file.set(bytes, at);
    if (tag === "head") {
      headAt = at;
      view.setUint32(at + 8, 0);
    }
    const entry = 12 + index * 16;
    for (let letter = 0; letter < 4; letter++) view.setUint8(entry + letter, tag.charCodeAt(letter));
    view.setUint32(entry + 4, checksum(view, at, padded(bytes.length)));
    view.setUint32(entry + 8, at);
    view.setUint32(entry + 12, bytes.length);
    at += padded(bytes.length);
  });
  view.setUint32(headAt + 8, (0xb1b0afba - checksum(view, 0, file.length)) >>> 0);
  return file;
}

function checksum(view: DataView, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at += 4) sum = (sum + view.getUint32(at)) >>> 0;
  return sum;
}
