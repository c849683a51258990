import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { findCategory, formatFault, may, parseAgreement, type Subject, verifyAgreement } from "./index.ts";

const path = (name: string) => new URL(`../vectors/${name}`, import.meta.url);
const card = readFileSync(path("card.yaml"));
const load = <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> =>
  schema.parse(JSON.parse(readFileSync(path(name), "utf8")));
const parseCard = () => {
  const parsed = parseAgreement(card, { fileName: "card.yaml" });
  if (!parsed.ok) throw new Error(parsed.faults.map(formatFault).join("\n"));
  return parsed.agreement;
};

const subject = z.union([
  z.enum(["public", "unknown"]),
  z.strictObject({ postSensitivity: z.enum(["ordinary", "sensitive", "covert"]), cardKind: z.string().nullable() }),
]);
const mayVectors = load(
  "may.json",
  z.object({
    cases: z.array(
      z.object({
        title: z.string(),
        question: z.object({ recipient: z.string(), category: z.string(), subject, at: z.string() }),
        expected: z.object({ ok: z.boolean(), path: z.string(), reason: z.string().optional() }),
      }),
    ),
  }),
);

describe("may() answers by the clause that decides", () => {
  it.each(mayVectors.cases)("$title", ({ question, expected }) => {
    const found = findCategory(question.category);
    if (!found.ok) throw new Error("unknown category in the vectors");
    const asked: Subject = question.subject;
    const answer = may({
      agreement: parseCard(),
      recipient: question.recipient,
      category: found.category.id,
      subject: asked,
      at: new Date(question.at),
    });
    const { clause, ...rest } = answer;
    expect({ ...rest, path: clause.path }).toEqual(expected);
    expect(clause.words).not.toBe("");
  });
});

const faultVectors = load(
  "faults.json",
  z.object({
    cases: z.array(z.object({ title: z.string(), replace: z.string(), by: z.string(), faults: z.array(z.string()) })),
  }),
);

describe("parseAgreement() tells line and key of every fault, and refuses", () => {
  it.each(faultVectors.cases)("$title", ({ replace, by, faults }) => {
    const text = card.toString("utf8");
    expect(text).toContain(replace);
    const parsed = parseAgreement(text.replace(replace, by), { fileName: "f" });
    if (parsed.ok) expect.fail("it was accepted");
    const told = parsed.faults.map(({ line, key }) => `${line} ${key}`);
    expect([...new Set(told)]).toEqual(faults);
  });
});

const signedVectors = load(
  "signed.json",
  z.object({
    parties: z.object({
      controller: z.object({ id: z.string(), signer: z.string() }),
      recipient: z.object({ id: z.string(), signer: z.string() }),
    }),
    verifierKeys: z.array(z.string()),
    unknownVerifierKey: z.string(),
    cases: z.array(z.object({ title: z.string(), signatures: z.string(), expected: z.string() })),
  }),
);

const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
/** A verifier by C2SP signed-note, independent of the ledger's. */
const verifySignature = (text: Uint8Array, lines: string): string[] =>
  lines.split("\n").flatMap((line) => {
    const [, name = "", signature = ""] = line.split(" ");
    const known = signedVectors.verifierKeys.find((vkey) => vkey.startsWith(`${name}+`));
    if (known === undefined) return [];
    const [, hash = "", key = ""] = /^[^+]+\+([^+]+)\+(.+)$/.exec(known) ?? [];
    const bytes = Buffer.from(signature, "base64");
    const spki = Buffer.concat([SPKI_HEAD, Buffer.from(key, "base64").subarray(1)]);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    const valid = bytes.subarray(0, 4).toString("hex") === hash && verify(null, text, publicKey, bytes.subarray(4));
    return valid ? [name] : [];
  });

describe("verifyAgreement() wants both parties' signatures", () => {
  const { parties } = signedVectors;
  it.each(signedVectors.cases)("$title", ({ signatures, expected }) => {
    const verified = verifyAgreement({ bytes: card, signatures, parties, verifySignature });
    expect(verified.ok ? "ok" : verified.reason).toBe(expected);
  });

  const signatures = signedVectors.cases[0]?.signatures ?? "";
  it("refuses a file of which one byte was changed after signing", () => {
    const bytes = Buffer.from(card.toString("utf8").replace("perHour: 360", "perHour: 361"));
    expect(verifyAgreement({ bytes, signatures, parties, verifySignature })).toMatchObject({
      ok: false,
      reason: "controller-not-signed",
    });
  });

  const everybody = () => [parties.controller.signer, parties.recipient.signer];
  it.each([
    ["without a newline at the end", "id: a"],
    ["with carriage returns", "id: a\r\n"],
    ["with a tab", "id:\ta\n"],
    ["that is empty", ""],
  ])("refuses a file %s before any signature is looked at", (_title, text) => {
    const never = () => expect.fail("asked to verify");
    expect(verifyAgreement({ bytes: Buffer.from(text), signatures, parties, verifySignature: never })).toEqual({
      ok: false,
      reason: "not-signable",
    });
  });
  it("refuses bytes that are not UTF-8, and more bytes than it may read", () => {
    for (const bytes of [Buffer.from([0x61, 0xff, 0x0a]), Buffer.alloc(262_145, "\n")])
      expect(verifyAgreement({ bytes, signatures, parties, verifySignature: everybody })).toEqual({
        ok: false,
        reason: "not-signable",
      });
  });
  it("tells the faults of a signed file that is no agreement", () => {
    const verified = verifyAgreement({
      bytes: Buffer.from("id: a\n"),
      signatures,
      parties,
      verifySignature: everybody,
    });
    expect(verified).toMatchObject({ ok: false, reason: "faulty" });
    expect(!verified.ok && (verified.faults?.length ?? 0) > 5).toBe(true);
  });
  it("does not parse before both signatures are verified", () => {
    const verified = verifyAgreement({ bytes: Buffer.from("id: a\n"), signatures, parties, verifySignature: () => [] });
    expect(verified).toEqual({ ok: false, reason: "controller-not-signed" });
  });
  it("refuses an agreement between others than the parties", () => {
    for (const party of ["controller", "recipient"] as const) {
      const others = { ...parties, [party]: { ...parties[party], id: "somebody-else" } };
      expect(verifyAgreement({ bytes: card, signatures, parties: others, verifySignature })).toEqual({
        ok: false,
        reason: "other-parties",
      });
    }
  });
  it("refuses one signer for both parties", () => {
    const one = { ...parties, recipient: { ...parties.recipient, signer: parties.controller.signer } };
    expect(verifyAgreement({ bytes: card, signatures, parties: one, verifySignature })).toEqual({
      ok: false,
      reason: "same-signer",
    });
  });
});
