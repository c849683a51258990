const [QUOTE, BACKSLASH, COMMA, SPACE] = [0x22, 0x5c, 0x2c, 0x20];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** The lists that are cut stand right inside of the outermost object. */
const CUT_DEPTH = 2;

export type JsonSample = {
  /** Takes the next bytes of the text; they may be overwritten afterwards. */
  readonly add: (bytes: Uint8Array) => void;
  /** The value that is left. Throws where the text was not JSON. */
  readonly value: () => unknown;
};

/** Reads an object that comes in pieces, however long: of every list right inside of it, the first `most` elements alone. */
export function createJsonSample(most: number): JsonSample {
  const kept: Buffer[] = [];
  const isKept = createCutter(most);
  return {
    add: (bytes) => {
      let from = -1;
      for (let at = 0; at < bytes.length; at += 1) {
        const keeps = isKept(bytes[at] ?? 0);
        if (keeps && from < 0) from = at;
        if (keeps || from < 0) continue;
        kept.push(Buffer.from(bytes.subarray(from, at)));
        from = -1;
      }
      if (from >= 0) kept.push(Buffer.from(bytes.subarray(from)));
    },
    value: () => JSON.parse(Buffer.concat(kept).toString("utf8")),
  };
}

/** Told one byte after the other, says of each whether it belongs to what is kept. */
function createCutter(most: number): (byte: number) => boolean {
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  /** How many commas the list to be cut had so far; -1 outside of such lists. */
  let commas = -1;
  const takeIn = (byte: number) => {
    if (byte === QUOTE) inString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth === CUT_DEPTH && byte === OPEN_LIST) commas = 0;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth === CUT_DEPTH) commas = -1;
      depth -= 1;
    } else if (byte === COMMA && depth === CUT_DEPTH && commas >= 0) commas += 1;
  };
  return (byte) => {
    const wasInString = inString;
    if (isEscaped) isEscaped = false;
    else if (inString && byte === BACKSLASH) isEscaped = true;
    else if (inString) inString = byte !== QUOTE;
    else takeIn(byte);
    return commas < most && (wasInString || byte !== SPACE);
  };
}
