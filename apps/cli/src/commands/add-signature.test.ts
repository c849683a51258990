import { createNoteSigner, LedgerError, signatureLines } from "@tipstaff/ledger";
import fc from "fast-check";
import { expect, it } from "vitest";
import { addSignature } from "./add-signature.ts";

const force = createNoteSigner("force.example", new Uint8Array(32).fill(1));
const recipient = createNoteSigner("recipient.example", new Uint8Array(32).fill(2));
const lineOf = (signer: typeof force, text: string) => signatureLines(Buffer.from(text), [signer]);

it("addSignature() begins a file, and adds to one that holds another's", () => {
  const [own, other] = [lineOf(force, "a\n"), lineOf(recipient, "a\n")];
  expect(addSignature("", own)).toEqual({ content: own, outcome: "added" });
  expect(addSignature(other, own)).toEqual({ content: other + own, outcome: "added" });
});

it("addSignature() leaves a file as it is, to the byte, where the same line stands there", () => {
  const before = `\n${lineOf(force, "a\n")}${lineOf(recipient, "a\n")}`;
  expect(addSignature(before, lineOf(force, "a\n"))).toEqual({ content: before, outcome: "stood there" });
});

it("addSignature() takes the place of a signature over another text, and leaves the other party's alone", () => {
  const before = lineOf(force, "a\n") + lineOf(recipient, "a\n");
  expect(addSignature(before, lineOf(force, "b\n"))).toEqual({
    content: lineOf(recipient, "a\n") + lineOf(force, "b\n"),
    outcome: "replaced",
  });
});

it("addSignature() mends a file that holds the same line twice", () => {
  const twice = lineOf(force, "a\n").repeat(2);
  expect(addSignature(twice, lineOf(force, "a\n"))).toEqual({ content: lineOf(force, "a\n"), outcome: "replaced" });
});

it("addSignature() keeps a line by another key of the same name, and one that it cannot read", () => {
  const namesake = lineOf(createNoteSigner("force.example", new Uint8Array(32).fill(3)), "a\n");
  const before = `${namesake}not a signature\n`;
  expect(addSignature(before, lineOf(force, "a\n")).content).toBe(before + lineOf(force, "a\n"));
});

it("addSignature() refuses what is no signature line", () => {
  expect(() => addSignature("", "rubbish")).toThrow(LedgerError);
});

it("addSignature() never leaves two lines by one key, however often and over whatever it is asked", () => {
  const signing = fc.record({ signer: fc.constantFrom(force, recipient), text: fc.constantFrom("a\n", "b\n") });
  fc.assert(
    fc.property(fc.array(signing, { maxLength: 6 }), (signings) => {
      let content = "";
      for (const { signer, text } of signings) content = addSignature(content, lineOf(signer, text)).content;
      const names = content.split("\n").flatMap((row) => row.split(" ")[1] ?? []);
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});
