import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { parseSignedNote } from "./signed-note.ts";

const root = randomBytes(32);
const base64 = root.toString("base64");
const malformed = expect.objectContaining({ code: "checkpoint-malformed" });

describe("parseCheckpoint()", () => {
  test("reads the specification's example", () => {
    const vectors = JSON.parse(readFileSync(new URL("../../vectors/notes.json", import.meta.url), "utf8"));
    const { text } = parseSignedNote(new TextEncoder().encode(vectors.checkpoint));
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: "example.com/behind-the-sofa", size: 20852163n, extensions: [] });
    expect(encodeCheckpoint(checkpoint)).toBe(text);
  });

  test.each([
    "0x10",
    "007",
    "-5",
    "",
    "+5",
    " 5",
    "5 ",
    "1e3",
    "٣",
    "9223372036854775808",
    "18446744073709551616",
    "00",
  ])("refuses the size %j", (size) => {
    expect(() => parseCheckpoint(`o\n${size}\n${base64}\n`)).toThrow(malformed);
  });

  test.each([
    ["an empty origin", `\n5\n${base64}\n`],
    ["a root of 31 bytes", `o\n5\n${Buffer.alloc(31).toString("base64")}\n`],
    ["a root of 33 bytes", `o\n5\n${Buffer.alloc(33).toString("base64")}\n`],
    ["a root with loose bits", `o\n5\n${"A".repeat(42)}B=\n`],
    ["a root without padding", `o\n5\n${base64.slice(0, -1)}\n`],
    ["a root with a space after it", `o\n5\n${base64} \n`],
    ["a root in base64url", `o\n5\n${Buffer.alloc(32, 0xff).toString("base64url")}=\n`],
    ["an empty root", "o\n5\n\n"],
    ["two lines only", "o\n5\n"],
    ["no newline at the end", `o\n5\n${base64}`],
    ["CRLF", `o\r\n5\r\n${base64}\r\n`],
    ["an empty extension line", `o\n5\n${base64}\n\n`],
    ["nothing", ""],
  ])("refuses %s", (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(malformed);
  });

  test("reads the largest size, and keeps extension lines", () => {
    const text = `o\n9223372036854775807\n${base64}\nmore\nand more\n`;
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ size: 2n ** 63n - 1n, extensions: ["more", "and more"] });
    expect(encodeCheckpoint(checkpoint)).toBe(text);
  });

  test("prints again what it read, or throws the package's own error", () => {
    const good = `o\n5\n${base64}\n`;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 2, unit: "binary" }), (at, piece) => {
        const text = good.slice(0, at) + piece + good.slice(at + 1);
        try {
          expect(encodeCheckpoint(parseCheckpoint(text))).toBe(text);
        } catch (error) {
          expect(error).toEqual(malformed);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("encodeCheckpoint()", () => {
  test.each([
    ["a negative size", { origin: "o", size: -1, root }],
    ["half an entry", { origin: "o", size: 0.5, root }],
    ["a size of 2^63", { origin: "o", size: 2n ** 63n, root }],
    ["a size that a number cannot hold", { origin: "o", size: 2 ** 53, root }],
    ["an empty origin", { origin: "", size: 1, root }],
    ["an origin of two lines", { origin: "a\nb", size: 1, root }],
    ["a short root", { origin: "o", size: 1, root: root.subarray(1) }],
    ["an empty extension", { origin: "o", size: 1, root, extensions: [""] }],
  ])("refuses %s", (_, checkpoint) => {
    expect(() => encodeCheckpoint(checkpoint)).toThrow(malformed);
  });
});
