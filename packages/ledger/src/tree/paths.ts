import { LedgerError } from "../error.ts";

/** Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const MAX_LEVEL = 63;

/** A tile of hashes. `width` is 256 for a full one. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number };
/** A bundle of entries, or of openings. `width` is 256 for a full one. */
export type Bundle = { readonly index: number; readonly width: number };

const assertPart = ({ index, width }: Bundle): void => {
  if (!Number.isSafeInteger(index) || index < 0 || !Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new LedgerError("path-malformed", "a tile has an index from 0 and a width from 1 to 256");
  }
};

const encodeIndex = (index: number): string => {
  const groups = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(String(rest % 1000).padStart(3, "0"));
  }
  const last = groups.pop() ?? "";
  return [...groups.map((group) => `x${group}`), last].join("/");
};

const encodePart = (part: Bundle): string => {
  assertPart(part);
  return encodeIndex(part.index) + (part.width === TILE_WIDTH ? "" : `.p/${part.width}`);
};

/** `tile/<level>/<index>[.p/<width>]` (C2SP tlog-tiles, "Merkle Tree"); throws `path-malformed`. */
export const tilePath = ({ level, index, width }: Tile): string => {
  if (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL) {
    throw new LedgerError("path-malformed", "a tile's level is from 0 to 63");
  }
  return `tile/${level}/${encodePart({ index, width })}`;
};

/** `tile/entries/<index>[.p/<width>]` (C2SP tlog-tiles, "Log entries"); throws `path-malformed`. */
export const entriesPath = (bundle: Bundle): string => `tile/entries/${encodePart(bundle)}`;

/** `<index>[.p/<width>]` below the folder of openings, which is ours and never served; throws `path-malformed`. */
export const openingsPath = (bundle: Bundle): string => encodePart(bundle);

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Reads a path of either kind; throws `path-malformed` for any text that the functions above would not write. */
export const parseTilePath = (path: string): Tile | (Bundle & { readonly level: "entries" }) => {
  const [, kind = "", groups = "", widthText] = PATH.exec(path) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ""));
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  const part = { index, width };
  const parsed = kind === "entries" ? { level: "entries" as const, ...part } : { level: Number(kind), ...part };
  if (kind === "" || encodeParsed(parsed) !== path) throw new LedgerError("path-malformed", "that is no tile path");
  return parsed;
};

const encodeParsed = (parsed: Tile | (Bundle & { level: "entries" })): string =>
  parsed.level === "entries" ? entriesPath(parsed) : tilePath({ ...parsed, level: parsed.level });
