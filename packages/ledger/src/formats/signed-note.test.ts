import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import {
  createNoteSigner,
  encodeSignedNote,
  parseSignedNote,
  signatureLines,
  signNote,
  verifyNote,
  verifySignatureLines,
} from "./signed-note.ts";
import { parseVerifierKey } from "./verifier-key.ts";

const vectors: { note: string; checkpoint: string; signed: { key: string; note: string } } = JSON.parse(
  readFileSync(new URL("../../vectors/notes.json", import.meta.url), "utf8"),
);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const signer = createNoteSigner("force.example/log", randomBytes(32));
const other = createNoteSigner("witness.example/w", randomBytes(32));
const known = [parseVerifierKey(signer.verifierKey)];
const malformed = expect.objectContaining({ code: "note-malformed" });

describe("parseSignedNote()", () => {
  test.each(["note", "checkpoint"] as const)("reads the specification's example: %s", (name) => {
    const note = parseSignedNote(bytes(vectors[name]));
    expect(new TextDecoder().decode(encodeSignedNote(note))).toBe(vectors[name]);
    expect(note.signatures).toHaveLength(1);
  });

  test("takes the last blank line as the one before the signatures", () => {
    const note = parseSignedNote(signNote("a\n\n— b AAAAAAAA\n\nc\n", [signer]));
    expect(note.text).toBe("a\n\n— b AAAAAAAA\n\nc\n");
  });

  const good = new TextDecoder().decode(signNote("text\n", [signer]));
  const line = good.slice("text\n\n".length);
  test.each([
    ["nothing", ""],
    ["no signature", "text\n\n"],
    ["no blank line", "text\n— a AAAAAAAA\n"],
    ["no newline at the end", good.slice(0, -1)],
    ["CRLF", good.replaceAll("\n", "\r\n")],
    ["a tab", good.replace("text", "te\txt")],
    ["a NUL", good.replace("text", "te\0xt")],
    ["text after the last signature", `${good}more\n`],
    ["a hyphen for the dash", good.replace("—", "-")],
    ["two spaces", good.replace("— ", "—  ")],
    ["a space at the end of the line", `${good.slice(0, -1)} \n`],
    ["a name with a plus", good.replace("force", "fo+rce")],
    ["a name with a no-break space", good.replace("force", "fo\u00a0rce")],
    ["an empty name", "text\n\n—  AAAAAAAA\n"],
    ["base64 without its padding", good.replace(/=+\n$/, "\n")],
    ["base64 with more padding", good.replace(/\n$/, "==\n")],
    ["base64url", "text\n\n— a AAAAAAAA_-==\n"],
    ["base64 with loose bits", "text\n\n— a AAAAAAF=\n"],
    ["a signature of four bytes", "text\n\n— a AAAAAA==\n"],
    ["the same key twice", good + line],
    ["seventeen signatures", `text\n\n${Array.from({ length: 17 }, (_, i) => `— k${i} AAAAAAAA\n`).join("")}`],
  ])("refuses %s", (_, note) => {
    expect(() => parseSignedNote(bytes(note))).toThrow(malformed);
  });

  test("refuses what is not UTF-8", () => {
    expect(() => parseSignedNote(Buffer.concat([Buffer.of(0xff), bytes(good)]))).toThrow(malformed);
  });

  test("reads sixteen signatures", () => {
    const note = `text\n\n${Array.from({ length: 16 }, (_, i) => `— k${i} AAAAAAAA\n`).join("")}`;
    expect(parseSignedNote(bytes(note)).signatures).toHaveLength(16);
  });

  test("throws nothing but the package's own error, and prints again what it read", () => {
    const mutation = fc.record({ at: fc.nat(good.length - 1), with: fc.string({ maxLength: 3, unit: "binary" }) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        let text = good;
        for (const change of mutations) text = text.slice(0, change.at) + change.with + text.slice(change.at + 1);
        try {
          expect(encodeSignedNote(parseSignedNote(bytes(text)))).toEqual(bytes(text.toWellFormed()));
        } catch (error) {
          expect(error).toBeInstanceOf(LedgerError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("verifyNote()", () => {
  test("verifies the Go project's published note", () => {
    const keys = [parseVerifierKey(vectors.signed.key)];
    expect(verifyNote(parseSignedNote(bytes(vectors.signed.note)), keys)).toMatchObject({ ok: true });
    const changed = vectors.signed.note.replace("answer", "Answer");
    expect(verifyNote(parseSignedNote(bytes(changed)), keys)).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("ignores signatures of unknown keys, and keeps them", () => {
    const verdict = verifyNote(parseSignedNote(signNote("text\n", [other, signer])), known);
    expect(verdict.ok && verdict.verified.map(({ name }) => name)).toEqual([signer.name]);
    expect(verdict.ok && verdict.unknown.map(({ name }) => name)).toEqual([other.name]);
  });

  test("refuses a note that no known key signed", () => {
    const note = parseSignedNote(signNote("text\n", [other]));
    expect(verifyNote(note, known)).toEqual({ ok: false, reason: "no-known-signature" });
    expect(verifyNote(note, [])).toEqual({ ok: false, reason: "no-known-signature" });
  });

  test("refuses a key whose name matches and whose id does not", () => {
    const namesake = createNoteSigner(signer.name, randomBytes(32));
    const note = parseSignedNote(signNote("text\n", [namesake]));
    expect(verifyNote(note, known)).toEqual({ ok: false, reason: "key-id-mismatch" });
  });

  test("refuses a note with one wrong signature of a known key, whatever else is right", () => {
    const good = parseSignedNote(signNote("text\n", [signer, other]));
    const [first, second] = good.signatures;
    const broken = { ...good, signatures: [first, { ...second, signature: new Uint8Array(64) }] };
    const keys = [...known, parseVerifierKey(other.verifierKey)];
    expect(verifyNote(broken as typeof good, keys)).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("refuses every change of one bit in the text", () => {
    const note = parseSignedNote(signNote("force.example/log\n5\n", [signer]));
    for (let at = 0; at < note.text.length; at++) {
      const text = note.text.slice(0, at) + String.fromCharCode(note.text.charCodeAt(at) ^ 1) + note.text.slice(at + 1);
      expect(verifyNote({ ...note, text }, known).ok).toBe(false);
    }
  });
});

describe("signatureLines()", () => {
  test("sign exactly these bytes", () => {
    const text = bytes("recipient: card-contractor\n");
    const lines = signatureLines(text, [signer, other]);
    expect(verifySignatureLines(text, lines, known)).toMatchObject({ ok: true });
    expect(verifySignatureLines(bytes("recipient: Card-contractor\n"), lines, known)).toMatchObject({ ok: false });
    expect(verifySignatureLines(bytes("recipient: card-contractor\n\n"), lines, known)).toMatchObject({ ok: false });
  });

  test.each([
    ["no newline at the end", "text"],
    ["CRLF", "text\r\n"],
    ["nothing", ""],
  ])("refuse a text with %s", (_, text) => {
    expect(() => signatureLines(bytes(text), [signer])).toThrow(malformed);
  });

  test.each(["", "\n", "— a AAAAAAAA", "x\n"])("are refused when malformed: %j", (lines) => {
    expect(() => verifySignatureLines(bytes("text\n"), lines, known)).toThrow(malformed);
  });
});

describe("parseVerifierKey()", () => {
  test("refuses every change of one character, and every part of a key", () => {
    const { key } = vectors.signed;
    expect(parseVerifierKey(key)).toMatchObject({ name: "PeterNeumann", keyId: "c74f20a3" });
    for (let at = 0; at < key.length; at++) {
      const changed = key.slice(0, at) + String.fromCharCode(key.charCodeAt(at) + 1) + key.slice(at + 1);
      expect(() => parseVerifierKey(changed)).toThrow(LedgerError);
      expect(() => parseVerifierKey(key.slice(0, at))).toThrow(LedgerError);
      if (at > 0) expect(() => parseVerifierKey(key.slice(at))).toThrow(LedgerError);
    }
  });

  test.each(["a b", "a+b", "", "a\u0085b", "a\nb"])("no signer has the name %j", (name) => {
    expect(() => createNoteSigner(name, randomBytes(32))).toThrow(expect.objectContaining({ code: "signer-invalid" }));
  });
  test("no signer has a seed of 31 bytes", () => {
    expect(() => createNoteSigner("a", randomBytes(31))).toThrow(expect.objectContaining({ code: "signer-invalid" }));
  });
});
