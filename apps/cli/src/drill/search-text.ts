import type { KnownPeople } from "./known-people.ts";

/** A forename counts when it stands within so many characters of its surname. */
const NEAR = 48;
const WORD = /[\p{L}][\p{L}'’-]{2,}/gu;
const NUMBER = /(?<![\p{L}\d]|\d\.)\d{5,14}(?![\p{L}\d]|\.\d)/gu;
/** Numbers that our own formats write as sizes and places; they say nothing about anybody. */
const OWN_NUMBERS = /"(?:offset|length|size|index|bytes|left|jobs|created|expires)"\s*:\s*$|(?:;created|;expires)=$/;

/** Adds to `found` everybody whose name or number stands in this text. */
export function searchText(text: string, known: KnownPeople, found: Set<number>): void {
  for (const match of text.matchAll(WORD)) {
    const bearers = known.names.get(match[0]);
    if (!bearers) continue;
    const from = Math.max(0, match.index - NEAR);
    const around = text.slice(from, match.index + match[0].length + NEAR);
    for (const word of around.matchAll(WORD)) {
      for (const person of bearers.get(word[0]) ?? []) found.add(person);
    }
  }
  for (const match of text.matchAll(NUMBER)) {
    const person = known.numbers.get(match[0]);
    if (person === undefined || found.has(person)) continue;
    if (!OWN_NUMBERS.test(text.slice(Math.max(0, match.index - 24), match.index))) found.add(person);
  }
}

const BASE64 = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
const HEX = /[0-9a-fA-F]{24,}/g;
const DEEPEST = 2;

/**
 * Searches bytes as a thief would: as UTF-8, as Latin-1 and as UTF-16, and once more inside every run of base64 or hex,
 * at each alignment that base64 can have.
 */
export function searchBytes(bytes: Buffer, known: KnownPeople, found: Set<number>, depth = 0): void {
  const text = bytes.toString("utf8");
  searchText(text, known, found);
  const wide = bytes.includes("\0") ? bytes.toString("utf16le") : "";
  if (wide) searchText(wide, known, found);
  if (depth === DEEPEST) return;
  for (const match of text.matchAll(BASE64)) {
    const run = match[0].replaceAll("-", "+").replaceAll("_", "/");
    for (let shift = 0; shift < 4; shift += 1) {
      const decoded = Buffer.from(run.slice(shift), "base64");
      if (looksReadable(decoded)) searchBytes(decoded, known, found, depth + 1);
    }
  }
  for (const match of text.matchAll(HEX)) {
    for (const shift of [0, 1]) {
      const decoded = Buffer.from(match[0].slice(shift), "hex");
      if (looksReadable(decoded)) searchBytes(decoded, known, found, depth + 1);
    }
  }
}

/** Does it hold a run of eight printable ASCII characters? Decoded ciphertext seldom does. */
function looksReadable(bytes: Buffer): boolean {
  let run = 0;
  for (const byte of bytes) {
    run = byte >= 0x20 && byte < 0x7f ? run + 1 : 0;
    if (run === 8) return true;
  }
  return false;
}
