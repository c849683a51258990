import { bearersOf, ownerOf, type Wanted } from "./wanted.ts";

/** A forename counts when it stands within so many characters of its surname. */
const NEAR = 48;
/**
 * Forename and surname of fewer letters meet by chance somewhere in gigabytes of base64; they count where no letter of
 * base64 touches them.
 */
const TELLING_LETTERS = 10;
/** The same where they touch each other, which is rarer. */
const TELLING_LETTERS_TOUCHING = 9;
/**
 * So many digits tell one person apart. A shorter number, such as 16384, stands in every database and log for something
 * else; it counts only in the company of another number of the same person.
 */
const TELLING_DIGITS = 7;
const COMPANY = 160;
const COUNTED = 4;
const CODED = /[A-Za-z0-9+/_-]/;
const WORD = /[\p{L}][\p{L}'’-]{2,}/gu;
const INNER_CAPITAL = /\p{Ll}\p{Lu}/u;
const PART = /\p{Lu}[\p{Ll}'’-]{2,}/gu;
const NUMBER = /(?<![\p{L}\d]|\d\.)\d{5,14}(?![\p{L}\d]|\.\d)/gu;
/** Numbers that our own formats write as sizes and places; they say nothing about anybody. */
const OWN_NUMBERS = /"(?:offset|length|size|index|bytes|left|jobs|created|expires)"\s*:\s*$|(?:;created|;expires)=$/;

/** Adds to `found` everybody whose name or number stands in this text. */
export function searchText(text: string, known: Wanted, found: Set<number>): void {
  for (const { word, from, to } of wordsOf(text)) {
    if (!known.surnames.has(word)) continue;
    const start = Math.max(0, from - NEAR);
    for (const { word: near, ...place } of wordsOf(text.slice(start, to + NEAR))) {
      const [first, last] = [start + place.from, start + place.to];
      // One word is not both: some people are called by one name twice.
      const gap = Math.max(first - to, from - last);
      if (gap < 0) continue;
      const isTouching = gap <= 1;
      const letters = word.length + near.length;
      const isTelling = letters >= (isTouching ? TELLING_LETTERS_TOUCHING : TELLING_LETTERS);
      const isApart = isTouching
        ? standsAlone(text, Math.min(from, first), Math.max(to, last))
        : standsAlone(text, from, to) && standsAlone(text, first, last);
      if (!isTelling && !isApart) continue;
      for (const person of bearersOf(known, word, near)) found.add(person);
    }
  }
  for (const match of text.matchAll(NUMBER)) {
    const person = ownerOf(known, match[0]);
    if (person === undefined || found.has(person)) continue;
    if (isCounting(text, match.index, match[0].length)) continue;
    if (OWN_NUMBERS.test(text.slice(Math.max(0, match.index - 24), match.index))) continue;
    if (match[0].length >= TELLING_DIGITS || hasCompany(text, match, { person, known })) found.add(person);
  }
}

function standsAlone(text: string, from: number, to: number): boolean {
  return !CODED.test(text[from - 1] ?? " ") && !CODED.test(text[to] ?? " ");
}

/**
 * Is this a piece of an ascending list of small numbers, as databases keep of the places in a page? Read as UTF-16 it goes
 * `-.0234678:<>`, every letter after the one before.
 */
function isCounting(text: string, from: number, length: number): boolean {
  const [before, after] = [
    text.slice(Math.max(0, from - COUNTED), from + length),
    text.slice(from, from + length + COUNTED),
  ];
  return [before, after].some((run) => run.length === length + COUNTED && isAscending(run));
}

function isAscending(text: string): boolean {
  for (let at = 1; at < text.length; at += 1) if (text.charCodeAt(at) <= text.charCodeAt(at - 1)) return false;
  return true;
}

/** Does another number of the same person stand near this one? */
function hasCompany(
  text: string,
  { 0: number, index }: RegExpExecArray,
  { person, known }: { person: number; known: Wanted },
): boolean {
  const around = text.slice(Math.max(0, index - COMPANY), index + number.length + COMPANY);
  return [...around.matchAll(NUMBER)].some(([other]) => other !== number && ownerOf(known, other) === person);
}

/** Words, and the parts of words that run into each other, as neighbouring cells of a database page do. */
function* wordsOf(text: string): Generator<{ word: string; from: number; to: number }> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    yield { word, from: index, to: index + word.length };
    if (!INNER_CAPITAL.test(word)) continue;
    for (const part of word.matchAll(PART)) {
      yield { word: part[0], from: index + part.index, to: index + part.index + part[0].length };
    }
  }
}
