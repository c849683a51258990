import type { Part } from "./readable-parts.ts";
import { type Wanted, writtenNumbers } from "./wanted.ts";

/** What decides whether a name or number belongs to somebody stands within so many bytes of it. */
const CONTEXT_BYTES = 720;
const LONGEST_NUMBER = 14;
/** As in `searchText`: shorter numbers count only in the company of another. */
const TELLING_DIGITS = 7;
const PREFIX_BYTES = 3;
const NUMBER_BITS = 22;

const [UPPER, LOWER, DIGIT, HIGH, DOT] = [1, 2, 4, 8, 16];
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return HIGH;
  const letter = String.fromCharCode(byte);
  if (letter >= "0" && letter <= "9") return DIGIT;
  if (letter >= "A" && letter <= "Z") return UPPER;
  if (letter >= "a" && letter <= "z") return LOWER;
  return letter === "." ? DOT : 0;
});

/** Answers the places in a part of some bytes that are worth reading: nobody known stands outside of them. */
export type TextIndex = (bytes: Buffer, part: Part) => Part[];

/**
 * Knows every surname by its bytes and every number by a hash, so that one pass over bytes leaves little to read as text.
 * It may point to a place for nothing, and never leaves one out.
 */
export function createTextIndex(known: Wanted): TextIndex {
  const surnameAt = indexSurnames(known.surnames.keys());
  const numberBits = new Uint8Array(1 << (NUMBER_BITS - 3));
  for (const number of writtenNumbers(known)) {
    const hash = hashDigits(Buffer.from(number), 0, number.length);
    numberBits[hash >> 3] = (numberBits[hash >> 3] ?? 0) | (1 << (hash & 7));
  }
  const isNumber = (hash: number) => ((numberBits[hash >> 3] ?? 0) >> (hash & 7)) & 1;
  return (bytes, { from, to }) => {
    const places: number[] = [];
    let before = 0;
    let lastNumber = Number.NEGATIVE_INFINITY;
    for (let at = from; at < to; at += 1) {
      const kind = KINDS[bytes[at] ?? 0] ?? 0;
      if (kind === DIGIT) {
        let end = at + 1;
        while (end < to && KINDS[bytes[end] ?? 0] === DIGIT) end += 1;
        if (end - at <= LONGEST_NUMBER && isNumber(hashDigits(bytes, at, end))) {
          if (end - at >= TELLING_DIGITS || at - lastNumber <= CONTEXT_BYTES) places.push(at);
          lastNumber = at;
        }
        at = end - 1;
      } else if (kind === UPPER || kind === HIGH || (kind === LOWER && before !== LOWER && before !== UPPER)) {
        if (surnameAt(bytes, at)) places.push(at);
      }
      before = kind;
    }
    return places.length === 0 ? [] : around(bytes, places, { from, to });
  };
}

function hashDigits(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
  return (Math.imul(hash, 0x9e3779b1) >>> 0) >>> (32 - NUMBER_BITS);
}

function indexSurnames(surnames: Iterable<string>): (bytes: Buffer, at: number) => boolean {
  const byPrefix = new Map<number, Buffer[]>();
  const bits = new Uint8Array(1 << (8 * PREFIX_BYTES - 3));
  for (const surname of surnames) {
    const word = Buffer.from(surname, "utf8");
    const prefix = word.readUIntBE(0, PREFIX_BYTES);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), word]);
    bits[prefix >> 3] = (bits[prefix >> 3] ?? 0) | (1 << (prefix & 7));
  }
  return (bytes, at) => {
    const prefix = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if ((((bits[prefix >> 3] ?? 0) >> (prefix & 7)) & 1) === 0) return false;
    return byPrefix.get(prefix)?.some((word) => standsAt(bytes, at, word)) === true;
  };
}

function standsAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let place = PREFIX_BYTES; place < word.length; place += 1) {
    if (bytes[at + place] !== word[place]) return false;
  }
  return true;
}

/** The surroundings of these places, never cut inside a word or number. */
function around(bytes: Uint8Array, places: readonly number[], part: Part): Part[] {
  const parts: Part[] = [];
  let open: Part | undefined;
  for (const place of places) {
    if (open && place - CONTEXT_BYTES <= open.to) {
      open.to = Math.max(open.to, Math.min(part.to, place + CONTEXT_BYTES));
      continue;
    }
    open = { from: Math.max(part.from, place - CONTEXT_BYTES), to: Math.min(part.to, place + CONTEXT_BYTES) };
    parts.push(open);
  }
  for (const one of parts) {
    while (one.from > part.from && KINDS[bytes[one.from - 1] ?? 0] !== 0) one.from -= 1;
    while (one.to < part.to && KINDS[bytes[one.to] ?? 0] !== 0) one.to += 1;
  }
  return parts;
}
