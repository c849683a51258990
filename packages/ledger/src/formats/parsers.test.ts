import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeLeaf } from "../entry/leaf.ts";
import { LedgerError } from "../error.ts";
import {
  createCosigner,
  createNoteSigner,
  encodeBundle,
  encodeCheckpoint,
  encodeSignedNote,
  encodeTlogProof,
  entriesPath,
  parseBundle,
  parseCheckpoint,
  parseCosignerKey,
  parseLeaf,
  parsePolicy,
  parseSignatureLines,
  parseSignedNote,
  parseTilePath,
  parseTlogProof,
  parseVerifierKey,
  signNote,
  tilePath,
} from "../index.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { encodeAddCheckpoint, parseAddCheckpoint } from "../witness/add-checkpoint.ts";
import { verifyCosignature } from "./cosignature.ts";
import { encodeCosignerKey } from "./cosigner-key.ts";
import { encodeSignatureLine } from "./signed-note.ts";
import { encodeVerifierKey } from "./verifier-key.ts";
import { verifyPolicy } from "./verify-policy.ts";

const origin = "force.example/log";
const signer = createNoteSigner(origin, testKey("signer"));
const other = createNoteSigner("other.example", testKey("other"));
const checkpoint = encodeCheckpoint({ origin, size: 20852163, root: testKey("root") });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const cosigners = ["a", "b", "c"].map((name) => createCosigner({ name: `${name}.example`, seed: testKey(name) }));
const [cosigner] = cosigners;
if (cosigner === undefined) throw new Error("no cosigner");
const cosigned = encodeSignedNote({
  text: checkpoint,
  signatures: [
    ...parseSignedNote(signNote(checkpoint, [signer])).signatures,
    cosigner.cosign(checkpoint, 1_700_000_000),
  ],
});
const policy = `log ${signer.verifierKey}\n${cosigners
  .map(({ name, verifierKey }) => `witness ${name} ${verifierKey} http://${name}\n`)
  .join("")}group ab 1 a.example b.example\ngroup all all ab c.example\nquorum ab\n`;
const hashes = ["x", "y"].map(testKey);

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
  ["cosigners' keys", utf8(cosigner.verifierKey), (bytes) => utf8(encodeCosignerKey(parseCosignerKey(text(bytes))))],
  [
    "signature lines",
    utf8(encodeSignatureLine(cosigner.cosign(checkpoint, 1_700_000_000))),
    (bytes) => utf8(parseSignatureLines(text(bytes)).map(encodeSignatureLine).join("")),
  ],
  [
    "proof files",
    encodeTlogProof({ index: 7n, proof: hashes, checkpoint: cosigned, extra: utf8("extra") }),
    (bytes) => encodeTlogProof(parseTlogProof(bytes)),
  ],
  [
    "add-checkpoint requests",
    encodeAddCheckpoint({ oldSize: 7n, proof: hashes, checkpoint: cosigned }),
    (bytes) => encodeAddCheckpoint(parseAddCheckpoint(bytes)),
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

test("no mutation of a policy is fulfilled by whom the note is not signed by, nor throws another error", () => {
  const names = [cosigner.name];
  fc.assert(
    fc.property(mutations, (steps) => {
      const read = orRefused(() => parsePolicy(mutate(utf8(policy), steps)));
      if (read === undefined) return;
      const verdict = orRefused(() => verifyPolicy(cosigned, { policy: read }));
      for (const witness of verdict?.witnesses ?? []) expect(names).toContain(witness.keyName);
      if (verdict?.ok && read.quorum !== "none") expect(verdict.witnesses).toHaveLength(1);
    }),
    { numRuns: 1500 },
  );
});

test("no mutation of a cosigned note is fulfilled with another text, signature or time", () => {
  const read = parsePolicy(utf8(policy));
  fc.assert(
    fc.property(mutations, (steps) => {
      const bytes = mutate(cosigned, steps);
      const verdict = orRefused(() => verifyPolicy(bytes, { policy: read }));
      if (!verdict?.ok) return;
      expect(verdict.note.text).toBe(checkpoint);
      expect(verdict.witnesses).toMatchObject([{ keyName: cosigner.name, timestamp: 1_700_000_000n }]);
    }),
    { numRuns: 1500 },
  );
});

test("no mutation of a cosignature's bytes verifies", () => {
  const good = cosigner.cosign(checkpoint, 1_700_000_000);
  const key = parseCosignerKey(cosigner.verifierKey);
  fc.assert(
    fc.property(mutations, (steps) => {
      const signature = mutate(good.signature, steps);
      const isSame = Buffer.compare(signature, good.signature) === 0;
      expect(verifyCosignature(checkpoint, { ...good, signature }, { key }).ok).toBe(isSame);
    }),
    { numRuns: 1500 },
  );
});
