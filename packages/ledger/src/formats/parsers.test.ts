import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import {
  createNoteSigner,
  encodeBundle,
  encodeCheckpoint,
  encodeSignedNote,
  entriesPath,
  parseBundle,
  parseCheckpoint,
  parseLeaf,
  parseSignedNote,
  parseTilePath,
  parseVerifierKey,
  signNote,
  tilePath,
} from "../index.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { encodeVerifierKey } from "./verifier-key.ts";

const origin = "force.example/log";
const signer = createNoteSigner(origin, testKey("signer"));
const other = createNoteSigner("other.example", testKey("other"));
const checkpoint = encodeCheckpoint({ origin, size: 20852163, root: testKey("root") });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Each parser, from bytes and back to bytes, with what it reads. */
const parsers: readonly [string, Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
  ["signed notes", signNote(checkpoint, [signer, other]), (bytes) => encodeSignedNote(parseSignedNote(bytes))],
  ["checkpoints", utf8(checkpoint), (bytes) => utf8(encodeCheckpoint(parseCheckpoint(text(bytes))))],
  [
    "verifier keys",
    utf8(signer.verifierKey),
    (bytes) => {
      const { name, publicKey } = parseVerifierKey(text(bytes));
      return utf8(encodeVerifierKey(name, publicKey));
    },
  ],
  ["leaves", testEntry("one").leaf, (bytes) => encodeLeaf(parseLeaf(bytes))],
  [
    "bundles of three",
    encodeBundle([utf8("a"), utf8(""), utf8("ccc")]),
    (bytes) => encodeBundle(parseBundle(bytes, 3)),
  ],
  [
    "tile paths",
    utf8("tile/0/x001/x234/067.p/17"),
    (bytes) => {
      const parsed = parseTilePath(text(bytes));
      return utf8(parsed.level === "entries" ? entriesPath(parsed) : tilePath({ ...parsed, level: parsed.level }));
    },
  ],
];

type Mutation = { at: number; byte: number; how: "set" | "insert" | "remove" | "cut" | "double" };
const mutations = fc.array(
  fc.record<Mutation>({
    at: fc.nat(1000),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0x0a, 0x0d, 0x20, 0x30, 0x2b, 0x3d)),
    how: fc.constantFrom("set", "insert", "remove", "cut", "double"),
  }),
  { minLength: 1, maxLength: 4 },
);

const mutate = (bytes: Uint8Array, steps: readonly Mutation[]): Uint8Array => {
  const all = [...bytes];
  for (const { at, byte, how } of steps) {
    const place = all.length === 0 ? 0 : at % all.length;
    if (how === "set") all[place] = byte;
    else if (how === "insert") all.splice(place, 0, byte);
    else if (how === "remove") all.splice(place, 1);
    else if (how === "cut") all.length = place;
    else all.push(...all.slice(place));
  }
  return Uint8Array.from(all);
};

const orRefused = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
};

describe.each(parsers)("the parser of %s", (_, valid, again) => {
  test("gives back what it read, byte for byte", () => {
    expect(again(valid)).toEqual(valid);
  });

  test("of any mutation reads the same bytes back or refuses with the package's own error", () => {
    fc.assert(
      fc.property(mutations, (steps) => {
        const bytes = mutate(valid, steps);
        const read = orRefused(() => again(bytes));
        // What is no UTF-8 reaches the parsers of texts as U+FFFD, which must come back as it went in.
        if (read !== undefined) expect(text(read)).toBe(text(bytes));
      }),
      { numRuns: 1500 },
    );
  });
});
