/** So many letters in a row are taken for writing; in random bytes that happens once in some thousands. */
const LETTERS = 8;
/** So many digits in a row may be somebody's number. */
const DIGITS = 5;
/** What stands this near to writing is read with it: neighbouring cells are parted by a few bytes. */
const MARGIN = 32;
/** No run that is kept is shorter, in bytes or in pairs of bytes: looking at every fifth place misses none. */
const STRIDE = DIGITS;

/** From `from` to before `to`. */
export type Part = { from: number; to: number };

/** Stretches of bytes where ASCII or two-byte UTF-8 goes on for a while, with what stands near; they never overlap. */
export const readableParts = (bytes: Uint8Array): Part[] => merge(utf8Runs(bytes), 0, bytes.length);

/** Stretches where UTF-16 goes on for a while, at even and at odd places. */
export const wideParts = (bytes: Uint8Array): Part[] =>
  [0, 1].flatMap((offset) => merge(wideRuns(bytes, offset), offset, bytes.length));

const [OTHER, PLAIN, FIRST, SECOND] = [0, 1, 2, 3];
/** What a byte can be in UTF-8: a printable ASCII character, or the first or second half of a Latin letter. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ((byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d) return PLAIN;
  if (byte >= 0xc3 && byte <= 0xcb) return FIRST;
  return (byte & 0xc0) === 0x80 ? SECOND : OTHER;
});

const kindAt = (bytes: Uint8Array, at: number): number => KINDS[bytes[at] ?? 0] ?? OTHER;

function isWritten(bytes: Uint8Array, at: number): boolean {
  const kind = kindAt(bytes, at);
  if (kind === PLAIN) return true;
  if (kind === OTHER) return false;
  return kind === FIRST ? kindAt(bytes, at + 1) === SECOND : at > 0 && kindAt(bytes, at - 1) === FIRST;
}

function utf8Runs(bytes: Uint8Array): Part[] {
  const runs: Part[] = [];
  const end = bytes.length;
  let passed = -1;
  for (let at = STRIDE - 1; at < end; at += STRIDE) {
    if (!isWritten(bytes, at)) {
      passed = at;
      continue;
    }
    let from = at;
    while (from - 1 > passed && isWritten(bytes, from - 1)) from -= 1;
    let to = at + 1;
    while (to < end && isWritten(bytes, to)) to += 1;
    if (to - from >= STRIDE && isTelling(bytes, from, to)) runs.push({ from, to });
    passed = at = to;
  }
  return runs;
}

function isTelling(bytes: Uint8Array, from: number, to: number): boolean {
  let letters = 0;
  let digits = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if ((byte & 0xc0) !== 0x80) letters += 1;
    digits = byte >= 0x30 && byte <= 0x39 ? digits + 1 : 0;
    if (letters >= LETTERS || digits >= DIGITS) return true;
  }
  return false;
}

function isWide(bytes: Uint8Array, at: number): boolean {
  const high = bytes[at + 1] ?? 0xff;
  if (high > 1) return false;
  const low = bytes[at] ?? 0;
  return high === 1 || low >= 0x20 || low === 0x0a || low === 0x0d;
}

function wideRuns(bytes: Uint8Array, offset: number): Part[] {
  const runs: Part[] = [];
  let passed = offset - 2;
  for (let at = offset + 2 * (STRIDE - 1); at + 1 < bytes.length; at += 2 * STRIDE) {
    if (!isWide(bytes, at)) {
      passed = at;
      continue;
    }
    let from = at;
    while (from - 2 > passed && isWide(bytes, from - 2)) from -= 2;
    let to = at + 2;
    while (isWide(bytes, to)) to += 2;
    if (to - from >= 2 * STRIDE) runs.push({ from, to });
    passed = at = to;
  }
  return runs;
}

function merge(runs: readonly Part[], first: number, end: number): Part[] {
  const merged: Part[] = [];
  let open: Part | undefined;
  for (const { from, to } of runs) {
    const wide = { from: Math.max(first, from - MARGIN), to: Math.min(end, to + MARGIN) };
    if (open && wide.from <= open.to) open.to = wide.to;
    else {
      open = wide;
      merged.push(open);
    }
  }
  return merged;
}
