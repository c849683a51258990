import type { Part } from "./readable-parts.ts";

const SHORTEST_RUN = 24;
const NONE = 255;
const tableOf = (alphabet: string): Uint8Array => {
  const table = new Uint8Array(256).fill(NONE);
  for (const [value, letter] of [...alphabet].entries()) table[letter.charCodeAt(0)] = value;
  return table;
};
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64 = tableOf(`${LETTERS}+/`);
BASE64["-".charCodeAt(0)] = 62;
BASE64["_".charCodeAt(0)] = 63;
const HEX = tableOf("0123456789abcdef");
for (const [place, letter] of [..."ABCDEF"].entries()) HEX[letter.charCodeAt(0)] = 10 + place;

/** Runs of 24 and more letters of base64 or base64url. */
export const base64Runs = (bytes: Uint8Array, part: Part, shortest = SHORTEST_RUN): Part[] =>
  runsOf(bytes, part, { table: BASE64, shortest });

/** Runs of 24 and more hex digits. */
export const hexRuns = (bytes: Uint8Array, part: Part): Part[] =>
  runsOf(bytes, part, { table: HEX, shortest: SHORTEST_RUN });

/** A run as long as `shortest` has a letter at every `shortest`-th place: between those, nothing needs looking at. */
function runsOf(bytes: Uint8Array, part: Part, { table, shortest }: { table: Uint8Array; shortest: number }): Part[] {
  const runs: Part[] = [];
  let passed = part.from - 1;
  for (let at = part.from + shortest - 1; at < part.to; at += shortest) {
    if (table[bytes[at] ?? 0] === NONE) {
      passed = at;
      continue;
    }
    let from = at;
    while (from - 1 > passed && table[bytes[from - 1] ?? 0] !== NONE) from -= 1;
    let to = at + 1;
    while (to < part.to && table[bytes[to] ?? 0] !== NONE) to += 1;
    if (to - from >= shortest) runs.push({ from, to });
    passed = at = to;
  }
  return runs;
}

/** Decodes base64 letters into `out` and answers how many bytes they are; what is left of a group is dropped. */
export function decodeBase64(bytes: Uint8Array, { from, to }: Part, out: Uint8Array): number {
  let length = 0;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const group =
      (sextet(bytes, at) << 18) | (sextet(bytes, at + 1) << 12) | (sextet(bytes, at + 2) << 6) | sextet(bytes, at + 3);
    out[length] = group >> 16;
    out[length + 1] = group >> 8;
    out[length + 2] = group;
    length += 3;
  }
  const rest = to - at;
  if (rest >= 2) out[length++] = (sextet(bytes, at) << 2) | (sextet(bytes, at + 1) >> 4);
  if (rest === 3) out[length++] = (sextet(bytes, at + 1) << 4) | (sextet(bytes, at + 2) >> 2);
  return length;
}

const sextet = (bytes: Uint8Array, at: number): number => BASE64[bytes[at] ?? 0] ?? 0;

/** Decodes pairs of hex digits into `out` and answers how many bytes they are. */
export function decodeHex(bytes: Uint8Array, { from, to }: Part, out: Uint8Array): number {
  const length = (to - from) >> 1;
  for (let place = 0; place < length; place += 1) {
    const at = from + 2 * place;
    out[place] = ((HEX[bytes[at] ?? 0] ?? 0) << 4) | (HEX[bytes[at + 1] ?? 0] ?? 0);
  }
  return length;
}
