/** So many letters in a row are taken for writing; in random bytes that happens once in some thousands. */
const LETTERS = 8;
/** So many digits in a row may be somebody's number. */
const DIGITS = 5;
/** What stands this near to writing is read with it: neighbouring cells are parted by a few bytes. */
const MARGIN = 32;

/**
 * The readable parts of any bytes, as texts: where ASCII or two-byte UTF-8 goes on for a while, and where UTF-16 does.
 * Random bytes between them, which ciphertext is made of, are passed over quickly.
 */
export function* readableParts(bytes: Buffer): Generator<string> {
  for (const { from, to } of merge(utf8Runs(bytes), bytes.length)) yield bytes.toString("utf8", from, to);
  if (!bytes.includes(0)) return;
  for (const { from, to } of wideRuns(bytes)) yield bytes.toString("utf16le", from, to);
}

type Run = { from: number; to: number };

function* utf8Runs(bytes: Buffer): Generator<Run> {
  let start = 0;
  let digits = 0;
  let mostDigits = 0;
  let letters = 0;
  let at = 0;
  while (at <= bytes.length) {
    const byte = bytes[at] ?? 0;
    const isAscii = (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
    const isPair = byte >= 0xc3 && byte <= 0xcb && ((bytes[at + 1] ?? 0) & 0xc0) === 0x80;
    if (isAscii || isPair) {
      letters += 1;
      digits = byte >= 0x30 && byte <= 0x39 ? digits + 1 : 0;
      if (digits > mostDigits) mostDigits = digits;
      at += isPair ? 2 : 1;
      continue;
    }
    if (letters >= LETTERS || mostDigits >= DIGITS) yield { from: start, to: at };
    letters = digits = mostDigits = 0;
    at += 1;
    start = at;
  }
}

function* wideRuns(bytes: Buffer): Generator<Run> {
  for (const offset of [0, 1]) {
    let start = offset;
    for (let at = offset; at <= bytes.length; at += 2) {
      const [low, high] = [bytes[at] ?? 0, bytes[at + 1] ?? 0xff];
      if (high <= 1 && (high === 1 || low >= 0x20 || low === 0x0a || low === 0x0d)) continue;
      if (at - start >= 2 * DIGITS) yield { from: start, to: at };
      start = at + 2;
    }
  }
}

function* merge(runs: Iterable<Run>, length: number): Generator<Run> {
  let open: Run | undefined;
  for (const { from, to } of runs) {
    const wide = { from: Math.max(0, from - MARGIN), to: Math.min(length, to + MARGIN) };
    if (open && wide.from <= open.to) open.to = wide.to;
    else {
      if (open) yield open;
      open = wide;
    }
  }
  if (open) yield open;
}
