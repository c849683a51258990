import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64Runs, decodeBase64, hexRuns } from "./coded-runs.ts";
import { readableParts, wideParts } from "./readable-parts.ts";

const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    fc.stringMatching(/^[a-z0-9]{1,14}$/).map((text) => Buffer.from(text)),
    fc.stringMatching(/^[A-Za-z0-9+_-]{20,60}$/).map((text) => Buffer.from(text)),
    fc.stringMatching(/^[a-z]{1,9}$/).map((text) => Buffer.from(text, "utf16le")),
    fc.constantFrom("żółć", "é", "1234", "12345", "\n").map((text) => Buffer.from(text)),
    fc.constant(Buffer.alloc(70)),
  ),
  { maxLength: 20 },
);

describe("readableParts()", () => {
  it("covers every eight letters and every five digits in a row", () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const bytes = Buffer.concat(list);
        const parts = readableParts(bytes);
        for (const { index, 0: run } of bytes.toString("latin1").matchAll(/[ -~\t\n\r]{8,}|\d{5,}/g)) {
          expect(parts.some(({ from, to }) => from <= index && index + run.length <= to)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("never overlaps, so that nothing is read twice", () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const parts = readableParts(Buffer.concat(list));
        for (const [place, { from, to }] of parts.entries()) {
          expect(to).toBeGreaterThan(from);
          expect(from).toBeGreaterThan(parts[place - 1]?.to ?? -1);
        }
      }),
    );
  });

  it("leaves out nearly all of random bytes", () => {
    const bytes = randomBytes(1 << 20);
    const read = readableParts(bytes).reduce((sum, { from, to }) => sum + to - from, 0);
    expect(read).toBeLessThan(bytes.length / 10);
  });
});

describe("wideParts()", () => {
  it("covers every five letters of UTF-16, at even and at odd places", () => {
    fc.assert(
      fc.property(pieces, fc.nat(7), (list, shift) => {
        const before = Buffer.concat([Buffer.alloc(shift, 0xff), ...list]);
        const bytes = Buffer.concat([before, Buffer.from("writing", "utf16le"), Buffer.from([0xff])]);
        expect(wideParts(bytes).some(({ from, to }) => bytes.toString("utf16le", from, to).includes("writing"))).toBe(
          true,
        );
      }),
    );
  });
});

describe("base64Runs(), hexRuns()", () => {
  it("find what a regular expression finds", () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const bytes = Buffer.concat(list);
        const whole = { from: 0, to: bytes.length };
        const matches = (pattern: RegExp) =>
          [...bytes.toString("latin1").matchAll(pattern)].map(({ index, 0: run }) => ({
            from: index,
            to: index + run.length,
          }));
        expect(base64Runs(bytes, whole)).toEqual(matches(/[A-Za-z0-9+/_-]{24,}/g));
        expect(hexRuns(bytes, whole)).toEqual(matches(/[0-9a-fA-F]{24,}/g));
      }),
    );
  });
});

describe("decodeBase64()", () => {
  it("decodes what was encoded, in either alphabet", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("base64" as const, "base64url" as const), (bytes, encoding) => {
        const text = Buffer.from(Buffer.from(bytes).toString(encoding).replaceAll("=", ""));
        const out = Buffer.alloc(text.length + 3);
        const length = decodeBase64(text, { from: 0, to: text.length }, out);
        expect([...out.subarray(0, length)]).toEqual([...bytes]);
      }),
    );
  });
});
