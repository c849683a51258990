import { ArtworkError } from "./artwork-error.ts";
import { type CardFont, openCardFont } from "./card-font.ts";
import { cased, fieldsOf, fitElement } from "./card-text.ts";
import { type EmbeddedFont, embedFont, FONT_OBJECTS } from "./embedded-font.ts";
import { drawRectangle, drawText, PAGE, placeDrawing, type Typeset } from "./face-operators.ts";
import type { LayoutElement, TextElement } from "./layout-schema.ts";
import { ascii, deflatedObject, type PdfObject, plainObject } from "./pdf-file.ts";
import { num } from "./pdf-operators.ts";
import { drawReserved } from "./seal-operators.ts";
import { type FittedText, missingGlyph } from "./shape-text.ts";
import { type Drawing, drawSvg } from "./svg-operators.ts";
import type { Template } from "./template.ts";

export const SIDES = ["front", "back"] as const;

const FIRST_FONT_ID = 10;
const ID = { catalogue: 1, pages: 2, firstPage: 3, fixed: 5 } as const;
export const CARD_ID = { content: 7, portrait: 9 } as const;

const PRINTABLE_ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");

export type OpenFont = { resource: string; firstId: number; font: CardFont; embedded: EmbeddedFont };
type OpenDrawing = { resource: string; id: number; drawing: Drawing };
type Named<T> = ReadonlyMap<string, T>;

/** All that cards of one template have in common: done once, written into every card as it stands. */
export type ReadyTemplate = {
  readonly fonts: Named<OpenFont>;
  /** The objects that every card shares; object numbers 7 to 9 are left for the card's own. */
  readonly objects: readonly PdfObject[];
  /** What stands in a seal's place while a card has none. */
  drawEmptySeal(element: SealElement): string;
};

type SealElement = Extract<LayoutElement, { type: "seal" }>;
type Workshop = { template: Template; fonts: Named<OpenFont>; drawings: Named<OpenDrawing> };

/** @throws ArtworkError `template-broken` where fixed words do not fit or lack a glyph, and as drawings and fonts do. */
export function readyTemplate(template: Template): ReadyTemplate {
  const fonts = openFonts(template);
  const drawings = openDrawings(template, FIRST_FONT_ID + fonts.size * FONT_OBJECTS);
  const workshop = { template, fonts, drawings };
  const fixed = SIDES.map((side, index) => {
    const operators = template.layout[side].map((element, at) => drawFixed(element, workshop, `${side}.${at}`));
    return deflatedObject(ID.fixed + index, "", ascii(operators.join("")));
  });
  const forms = [...drawings.values()].map(({ id, drawing: { viewBox: box, operators } }) => {
    const bounds = [box.x, box.y, box.x + box.width, box.y + box.height].map(num).join(" ");
    return deflatedObject(id, `/Type/XObject/Subtype/Form/BBox[${bounds}]/Resources<<>>`, ascii(operators));
  });
  return {
    fonts,
    objects: [...pageObjects(workshop), ...fixed, ...forms],
    drawEmptySeal: (element) => drawEmptySeal(element, workshop, "seal"),
  };
}

function openFonts({ layout, fonts }: Template): Named<OpenFont> {
  const opened = new Map<string, OpenFont>();
  Object.keys(fonts)
    .sort()
    .forEach((name, index) => {
      const font = openCardFont(fonts[name] ?? new Uint8Array());
      const firstId = FIRST_FONT_ID + index * FONT_OBJECTS;
      const embedded = embedFont(font, { name: `TIPCRD+Card-${name}`, firstId });
      opened.set(name, { resource: `F${index}`, firstId, font, embedded });
    });
  for (const element of SIDES.flatMap((side) => layout[side])) {
    if (element.type === "seal") opened.get(element.reserved.font)?.embedded.share(element.reserved.text);
    if (element.type !== "text") continue;
    const words = fieldsOf(element).length > 0 ? `${element.text}${PRINTABLE_ASCII}` : element.text;
    opened.get(element.font)?.embedded.share(cased(element, words));
  }
  return opened;
}

function openDrawings({ drawings }: Template, firstId: number): Named<OpenDrawing> {
  const names = Object.keys(drawings).sort();
  return new Map(
    names.map((name, index) => [
      name,
      { resource: `D${index}`, id: firstId + index, drawing: drawSvg(drawings[name] ?? "") },
    ]),
  );
}

function pageObjects({ fonts, drawings }: Workshop): PdfObject[] {
  const box = `[0 0 ${num(PAGE.width)} ${num(PAGE.height)}]`;
  const fontNames = [...fonts.values()].map(({ resource, firstId }) => `/${resource} ${firstId} 0 R`).join("");
  const formNames = [...drawings.values()].map(({ resource, id }) => `/${resource} ${id} 0 R`).join("");
  const resources = `<</Font<<${fontNames}>>/XObject<</Portrait ${CARD_ID.portrait} 0 R${formNames}>>>>`;
  return [
    plainObject(
      ID.catalogue,
      `<</Type/Catalog/Pages ${ID.pages} 0 R/Lang(en-GB)/ViewerPreferences<</PrintScaling/None>>>>`,
    ),
    plainObject(ID.pages, `<</Type/Pages/Count 2/Kids[${ID.firstPage} 0 R ${ID.firstPage + 1} 0 R]>>`),
    ...SIDES.map((_, index) =>
      plainObject(
        ID.firstPage + index,
        `<</Type/Page/Parent ${ID.pages} 0 R/MediaBox${box}/TrimBox${box}/Resources${resources}` +
          `/Contents[${ID.fixed + index} 0 R ${CARD_ID.content + index} 0 R]>>`,
      ),
    ),
  ];
}

function drawFixed(element: LayoutElement, workshop: Workshop, place: string): string {
  switch (element.type) {
    case "rectangle":
      return drawRectangle(element, workshop.template.layout.colours);
    case "drawing": {
      const open = workshop.drawings.get(element.drawing);
      if (open === undefined) throw new ArtworkError("template-broken", `${place}: its drawing is not there`);
      return placeDrawing(element, open.drawing, open.resource);
    }
    case "text":
      return fieldsOf(element).length > 0 ? "" : drawWords(element, workshop, place);
    case "seal":
      // Drawn for its faults alone: the words in an empty seal must fit before the first card is made.
      drawEmptySeal(element, workshop, place);
      return "";
    case "portrait":
      return "";
  }
}

function drawWords(element: TextElement, { template, fonts }: Workshop, place: string): string {
  const open = fonts.get(element.font);
  if (open === undefined) throw new ArtworkError("template-broken", `${place}: its font is not there`);
  if (missingGlyph(open.font, cased(element, element.text.replaceAll("\n", " "))) !== undefined) {
    throw new ArtworkError("template-broken", `${place}: its font lacks a letter of its words`);
  }
  const fitted = fitElement(element, open.font, element.text);
  if (fitted === undefined) {
    throw new ArtworkError("template-broken", `${place}: its words do not fit; more room, lines or a smaller size`);
  }
  return drawText(typeset({ element, fitted, open }, []), template.layout.colours);
}

function drawEmptySeal(element: SealElement, workshop: Workshop, place: string): string {
  const words: TextElement = {
    type: "text",
    text: element.reserved.text,
    xMm: element.xMm + 1,
    baselineMm: element.yMm + element.sizeMm / 2,
    widthMm: element.sizeMm - 2,
    font: element.reserved.font,
    colour: element.ink,
    sizePt: element.reserved.sizePt,
    leading: 1.2,
    maxLines: 4,
    align: "centre",
    anchor: "first-line",
    upperCase: false,
    trackingPt: 0,
    optional: false,
  };
  return drawReserved(element, workshop.template.layout.colours) + drawWords(words, workshop, place);
}

export type FittedElement = { element: TextElement; fitted: FittedText; open: OpenFont };

export function typeset({ element, fitted, open }: FittedElement, extras: readonly number[]): Typeset {
  return { element, fitted, resource: open.resource, show: (line) => open.embedded.show(line, extras) };
}
