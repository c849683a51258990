import fc from "fast-check";
import { expect, it } from "vitest";
import { checkSignable } from "./check-signable.ts";
import { verifyAgreement } from "./verify-agreement.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const check = (bytes: Uint8Array) => checkSignable(bytes, { fileName: "a.yaml" });

it("checkSignable() finds nothing in text whose lines end with LF", () => {
  expect(check(bytesOf("id: x\nname: Ünïcode – 🚔\n"))).toEqual([]);
});

it("checkSignable() names every line that ends with CR LF", () => {
  expect(check(bytesOf("id: x\r\nversion: 1\n\r\n")).map(({ line, found }) => [line, found])).toEqual([
    [1, "a carriage return (CR)"],
    [3, "a carriage return (CR)"],
  ]);
});

it.each([
  ["no newline at the end", bytesOf("id: x"), 1],
  ["nothing at all", bytesOf(""), 1],
  ["a tab", bytesOf("id:\tx\n"), 1],
  ["an escape character", bytesOf("id: x\nb: \u001b[31m\n"), 2],
  ["a null", bytesOf("id: \u0000\n"), 1],
  ["bytes that are no UTF-8", Uint8Array.of(0x69, 0xff, 0x0a), 1],
  ["a file too large", new Uint8Array(262_145).fill(0x0a), 1],
])("checkSignable() refuses %s", (_what, bytes, line) => {
  expect(check(bytes)).toMatchObject([{ file: "a.yaml", line }]);
});

it("checkSignable() tells no more than a hundred faults", () => {
  expect(check(bytesOf("\r\n".repeat(500)))).toHaveLength(100);
});

it("checkSignable() finds a fault exactly where verifyAgreement() calls a file not signable", () => {
  const parties = { controller: { id: "a", signer: "a" }, recipient: { id: "b", signer: "b" } };
  const text = fc.string({ unit: fc.constantFrom("a", "\n", "\r", "\t", "é", "\u0007", ":") });
  fc.assert(
    fc.property(text, (written) => {
      const bytes = bytesOf(written);
      const verified = verifyAgreement({ bytes, signatures: "", parties, verifySignature: () => [] });
      expect(check(bytes).length > 0).toBe(!verified.ok && verified.reason === "not-signable");
    }),
  );
});
