import type { CardFont } from "./card-font.ts";
import { CARD_FIELDS, type CardField, PLACEHOLDER, type TextElement } from "./layout-schema.ts";
import { MM } from "./pdf-operators.ts";
import { type FittedText, fitText, missingGlyph } from "./shape-text.ts";

/** Why a card cannot be printed as asked; each can be told to the person who asked. */
export type TextRefusal = {
  readonly ok: false;
  readonly reason: "text-too-long" | "glyph-missing" | "field-missing";
  readonly field: CardField;
};

export type FieldValues = { readonly [Field in CardField]?: string | undefined };
type SetText = { readonly ok: true; readonly fitted: FittedText | undefined };

export const fieldsOf = ({ text }: TextElement): CardField[] =>
  CARD_FIELDS.filter((field) => text.includes(`{${field}}`));

/** Puts values into a text and fits it; `fitted` is undefined where an optional text has nothing to say. */
export function setText(element: TextElement, font: CardFont, values: FieldValues): SetText | TextRefusal {
  const fields = fieldsOf(element);
  for (const field of fields) {
    const value = values[field]?.trim() ?? "";
    if (value === "")
      return element.optional ? { ok: true, fitted: undefined } : { ok: false, reason: "field-missing", field };
    if (missingGlyph(font, cased(element, value)) !== undefined) return { ok: false, reason: "glyph-missing", field };
  }
  const text = element.text.replace(PLACEHOLDER, (whole, name) => {
    const field = fields.find((known) => known === name);
    return field === undefined ? whole : (values[field] ?? "").trim();
  });
  const fitted = fitElement(element, font, text);
  if (fitted !== undefined) return { ok: true, fitted };
  const longest = fields.toSorted((left, right) => (values[right] ?? "").length - (values[left] ?? "").length)[0];
  return { ok: false, reason: "text-too-long", field: longest ?? "name" };
}

export function fitElement(element: TextElement, font: CardFont, text: string): FittedText | undefined {
  return fitText(font, cased(element, text), {
    widthPt: element.widthMm * MM,
    sizePt: element.sizePt,
    minSizePt: element.minSizePt ?? element.sizePt,
    maxLines: element.maxLines,
    trackingPt: element.trackingPt,
  });
}

export const cased = (element: TextElement, text: string) =>
  element.upperCase ? text.toLocaleUpperCase("en-GB") : text;
