import fc from "fast-check";
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";
import { beforeAll, describe, expect, it } from "vitest";
import { ArtworkError } from "./artwork-error.ts";
import { type CardPerson, type Composer, composeCard, createComposer } from "./create-composer.ts";
import { samplePerson, samplePortrait, sampleTemplate } from "./sample-card.ts";
import type { Template } from "./template.ts";

let template: Template;
let composer: Composer;
let person: CardPerson;

beforeAll(async () => {
  template = await sampleTemplate();
  composer = createComposer(template);
  person = await samplePerson();
});

function pdfOf(changes: Partial<CardPerson> = {}, seal?: string): Uint8Array {
  const card = composer.compose({ person: { ...person, ...changes }, seal });
  if (!card.ok) throw new Error(`${card.reason} ${card.field}`);
  return card.pdf;
}

const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

async function readPages(pdf: Uint8Array) {
  const loading = getDocument({ data: pdf.slice(), verbosity: 0 });
  const file = await loading.promise;
  const pages = await Promise.all(
    Array.from({ length: file.numPages }, async (_, index) => {
      const page = await file.getPage(index + 1);
      const content = await page.getTextContent();
      return { view: page.view, text: content.items.map((item) => ("str" in item ? item.str : "")).join(" ") };
    }),
  );
  const metadata = await file.getMetadata();
  await loading.destroy();
  return { pages, metadata };
}

describe("compose()", () => {
  it("makes two pages of exactly 85.60 x 53.98 mm", async () => {
    const { pages } = await readPages(pdfOf());
    expect(pages).toHaveLength(2);
    for (const { view } of pages) {
      expect(((view[2] ?? 0) * 25.4) / 72).toBeCloseTo(85.6, 2);
      expect(((view[3] ?? 0) * 25.4) / 72).toBeCloseTo(53.98, 2);
    }
  });

  it("embeds every font that it names", () => {
    const source = latin(pdfOf());
    expect(source.match(/\/Subtype\/Type0/g)).toHaveLength(3);
    expect(source.match(/\/FontFile2 \d+ 0 R/g)).toHaveLength(3);
    expect(source).not.toMatch(/\/Subtype\/Type1\b|\/BaseFont\/Helvetica/);
  });

  it.each([
    "José Núñez",
    "Łukasz Wałęsa",
    "Zoltán Erdős",
    "Siân Glyndŵr",
    "Llŷr ap Gruffydd",
    "Nguyễn Thị Hà",
    "Ștefan Žižek",
  ])("prints %s so that it can be read back", async (name) => {
    const { pages } = await readPages(pdfOf({ name }));
    expect(pages[0]?.text).toContain(name.normalize("NFC"));
  });

  it("gives the same bytes for the same card, from a new composer and in any order", () => {
    const first = pdfOf({ name: "Zażółć Gęślą" }, "SEAL");
    pdfOf({ name: "Someone Else" });
    const again = composeCard({ template, person: { ...person, name: "Zażółć Gęślą" }, seal: "SEAL" });
    expect(again).toEqual({ ok: true, pdf: first });
  });

  it("takes a name typed with combining accents for the same name", () => {
    expect(pdfOf({ name: "Siân".normalize("NFD") })).toEqual(pdfOf({ name: "Siân" }));
  });

  it("carries no metadata: no title, author, producer, dates or identifier", async () => {
    const pdf = pdfOf();
    const { metadata } = await readPages(pdf);
    expect(
      Object.keys(metadata.info).filter((key) => /Title|Author|Producer|Creat|Date|Subject|Keywords/.test(key)),
    ).toEqual([]);
    expect(latin(pdf)).not.toMatch(/\/Info|\/ID\b|\/Metadata|CreationDate/);
  });

  it("drops what a portrait says besides its picture", async () => {
    const portrait = await samplePortrait({ comment: "54.1N 3.2E" });
    expect(latin(portrait)).toContain("54.1N 3.2E");
    expect(latin(pdfOf({ portrait }))).not.toContain("54.1N 3.2E");
  });

  it("shrinks a long name before it refuses one", async () => {
    const { pages } = await readPages(pdfOf({ name: "Małgorzata Wojciechowska-Brzęczyszczykiewicz" }));
    expect(pages[0]?.text.replace(/\s+/g, " ")).toContain("Małgorzata Wojciechowska-");
  });

  it("refuses a name that fits at no size, naming the field and not the name", () => {
    const name = "Bartholomew ".repeat(12).trim();
    expect(composer.compose({ person: { ...person, name } })).toEqual({
      ok: false,
      reason: "text-too-long",
      field: "name",
    });
  });

  it("refuses a rank and a number that are too long", () => {
    const long = "Detective ".repeat(9);
    expect(composer.compose({ person: { ...person, rank: long } })).toMatchObject({
      reason: "text-too-long",
      field: "rank",
    });
    expect(composer.compose({ person: { ...person, number: "0".repeat(60) } })).toMatchObject({
      reason: "text-too-long",
      field: "number",
    });
  });

  it.each(["王小明", "อันนา", "Ann\u0000a", "Ann\na", "\u202Eanna", "😀 Smith"])(
    "refuses %j, which the font cannot print",
    (name) => {
      expect(composer.compose({ person: { ...person, name } })).toEqual({
        ok: false,
        reason: "glyph-missing",
        field: "name",
      });
    },
  );

  it("refuses a card without a name, and prints one without a rank", () => {
    expect(composer.compose({ person: { ...person, name: "  " } })).toMatchObject({
      reason: "field-missing",
      field: "name",
    });
    expect(composer.compose({ person: { ...person, rank: undefined } }).ok).toBe(true);
  });

  it("takes a value as text, even where it looks like a placeholder or PDF", async () => {
    const { pages } = await readPages(pdfOf({ name: "{number}) Tj (x" }));
    expect(pages[0]?.text).toContain("{number}) Tj (x");
  });

  it.each(["2029-02-30", "30/11/2029", "", "2029-1-1"])("throws on the expiry date %j", (expiry) => {
    expect(() => composer.compose({ person: { ...person, expiry } })).toThrow(ArtworkError);
  });

  it("throws on a seal that is empty or too long for a card", () => {
    for (const seal of ["", "A".repeat(1_201)]) expect(() => pdfOf({}, seal)).toThrow(ArtworkError);
  });

  it("throws on a portrait that is not a JPEG, or is cut short", () => {
    const { portrait } = person;
    for (const broken of [new Uint8Array(), new TextEncoder().encode("<svg/>"), portrait.subarray(0, 40)]) {
      expect(() => pdfOf({ portrait: broken })).toThrow(ArtworkError);
    }
  });

  it("throws nothing but its own error, whatever the portrait's bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(300), (noise, at) => {
        const portrait = person.portrait.slice();
        portrait.set(noise.subarray(0, Math.max(0, portrait.length - at)), at);
        try {
          composer.compose({ person: { ...person, portrait } });
        } catch (error) {
          expect(error).toBeInstanceOf(ArtworkError);
        }
      }),
    );
  });

  it("answers with a card or a refusal, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (name) => {
        const card = composer.compose({ person: { ...person, name } });
        expect(card.ok || card.field === "name").toBe(true);
      }),
    );
  });
});
