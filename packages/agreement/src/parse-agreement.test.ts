import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import schemaFile from "../agreement.schema.json" with { type: "json" };
import { agreementJsonSchema } from "./agreement-schema.ts";
import { explainAgreement } from "./explain-agreement.ts";
import { formatFault } from "./faults.ts";
import { toLimits } from "./limits.ts";
import { parseAgreement } from "./parse-agreement.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const card = read("../vectors/card.yaml");
const examples = ["card-contractor", "website"].map((name) => read(`../../../examples/agreements/${name}.yaml`));
const parseWell = (text: string) => {
  const parsed = parseAgreement(text, { fileName: "f" });
  if (!parsed.ok) return expect.fail(parsed.faults.map(formatFault).join("\n"));
  return parsed.agreement;
};
const faultsOf = (source: Uint8Array | string) => {
  const parsed = parseAgreement(source, { fileName: "f" });
  return parsed.ok ? expect.fail("it was accepted") : parsed.faults;
};

describe("parseAgreement()", () => {
  it("reads the examples, and explains them without a gap", () => {
    for (const text of [...examples, card]) {
      const explained = explainAgreement(parseWell(text));
      expect(explained).not.toMatch(/undefined|NaN|\[object/);
      expect(explained.endsWith("\n")).toBe(true);
    }
  });

  it("resolves aliases, instants, keys and defaults", () => {
    const agreement = parseWell(card);
    expect(agreement.categories.map((grant) => grant.category)).toContain("tip:CollarNumber");
    expect(agreement.validity.from).toBe("2026-06-01T00:00:00.000Z");
    expect(agreement.recipient.keys.map((key) => key.publicKey.length)).toEqual([44, 44]);
    expect(agreement).toMatchObject({ subProcessors: [], transfers: [], limits: { attempts: 2 } });
  });

  it("reads a date as its first instant, UTC", () => {
    const dated = card.replace("2026-06-01T00:00:00Z", "2026-06-01").replace("2027-06-01T00:00:00Z", "2027-06-01");
    expect(parseWell(dated)).toEqual(parseWell(card));
  });

  it("writes a fault as file, line, key, what is expected and what kind was found", () => {
    const [fault] = faultsOf(card.replace("role: processor", "role: friend"));
    expect(fault && formatFault(fault)).toBe(
      "f:7: recipient.role: expected role of the recipient: one of processor, controller, third-party; found text",
    );
  });

  it("wants limits as soon as cards are sent", () => {
    const without = card.replace(/limits:\n(?: {2}.*\n)+/, "");
    expect(faultsOf(without).map((fault) => fault.key)).toEqual(["limits"]);
  });

  it("refuses an empty file, a list, and a word", () => {
    for (const text of ["", "\n", "# only a comment\n", "- a\n", "word\n"])
      expect(faultsOf(text).length).toBeGreaterThan(0);
  });

  it("refuses what is larger than 256 KiB, or not UTF-8", () => {
    expect(faultsOf(`${card}#${"#\n".repeat(131_072)}`)).toMatchObject([{ expected: "at most 262144 bytes" }]);
    expect(faultsOf(new Uint8Array(262_145))).toMatchObject([{ expected: "at most 262144 bytes" }]);
    expect(faultsOf(Uint8Array.of(0x61, 0xc3, 0x28))).toMatchObject([{ expected: "UTF-8 text" }]);
  });

  it.each([
    [
      "aliases that multiply",
      `a: &a [x,x]\n${"bcdefghi".replace(/./g, (c, at) => `${c}: &${c} [*${"abcdefgh"[at]},*${"abcdefgh"[at]}]\n`)}`,
    ],
    ["brackets within brackets", "[".repeat(200_000)],
    ["brackets over many lines", "[\n".repeat(100_000)],
    ["lists within lists on one line", `${"- ".repeat(900)}x`],
    ["questions within questions", `${"? ".repeat(900)}x`],
    [
      "very many keys",
      `{${Array.from({ length: 30_000 }, (_, at) => `k${at}: 1,${at % 100 === 0 ? "\n" : ""}`).join("")}}`,
    ],
    ["very many faults", `categories:\n${"  - x\n".repeat(40_000)}`],
    ["deep indentation", Array.from({ length: 600 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
    ["an endless word", "a".repeat(250_000)],
    ["an unclosed quote", `id: "${"\n".repeat(200_000)}`],
  ])("refuses %s quickly and with at most 100 faults", (_title, text) => {
    const start = performance.now();
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThanOrEqual(100);
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

const words = [
  "- ",
  ": ",
  "\n",
  "  ",
  "[",
  "]",
  "{",
  "}",
  "&a ",
  "*a",
  "!t ",
  "|",
  ">",
  "%",
  "---\n",
  "#",
  '"',
  "'",
  "? ",
  "\t",
  "\0",
  "null",
  "1e9",
  "~",
  "<<: ",
  "__proto__: ",
  "0x1",
  "\uFEFF",
  "\u2028",
  "é",
  "💂",
];
const mutation = fc.record({
  at: fc.nat(),
  cut: fc.nat({ max: 30 }),
  put: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })),
});

describe("parseAgreement() on hostile text", () => {
  it("answers any mutation of a good file with an agreement or with faults, and throws nothing", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(card, ...examples),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (text, mutations) => {
          let mutated = text;
          for (const { at, cut, put } of mutations) {
            const offset = at % (mutated.length + 1);
            mutated = mutated.slice(0, offset) + put + mutated.slice(offset + cut);
          }
          const parsed = parseAgreement(mutated, { fileName: "f" });
          if (parsed.ok) explainAgreement(parsed.agreement);
          else {
            const lines = mutated.split("\n").length;
            expect(parsed.faults.length).toBeGreaterThan(0);
            for (const { line } of parsed.faults) expect(line >= 1 && line <= lines).toBe(true);
          }
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it("answers any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseAgreement(bytes, { fileName: "f" }).ok).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never repeats a value of the file in a fault", () => {
    const secret = "ZQXJKV-secret";
    const places = [...card.matchAll(/(?<=: )[^\s{[,}\]]+/g)].map((match) => [match.index, match[0].length] as const);
    expect(places.length).toBeGreaterThan(30);
    for (const [at, length] of places) {
      const parsed = parseAgreement(`${card.slice(0, at)}${secret}${card.slice(at + length)}`, { fileName: "f" });
      if (!parsed.ok) expect(parsed.faults.map(formatFault).join("\n")).not.toContain("ZQXJKV");
    }
  });
});

describe("agreement.schema.json", () => {
  it("is what the code checks by", () => {
    expect(schemaFile).toEqual(JSON.parse(JSON.stringify(agreementJsonSchema)));
  });
  it("accepts the examples and refuses a misspelt key", () => {
    const schema = z.fromJSONSchema(JSON.parse(read("../agreement.schema.json")));
    for (const text of [...examples, card]) expect(schema.safeParse(parse(text)).success).toBe(true);
    expect(schema.safeParse({ ...parse(card), porpose: "x" }).success).toBe(false);
  });
});

describe("toLimits()", () => {
  it("gives plain numbers, in seconds", () => {
    expect(toLimits(parseWell(card))).toEqual({
      ratePerSecond: 0.1,
      burst: 10,
      openPerLine: 1,
      lines: 64,
      unaccounted: 500,
      attempts: 2,
      receiptWithinSeconds: 120,
      orderExpiresAfterSeconds: 1_209_600,
    });
  });
  it("refuses an agreement without limits", () => {
    expect(() => toLimits({ ...parseWell(card), limits: undefined })).toThrow(
      expect.objectContaining({ code: "no-limits" }),
    );
  });
});
