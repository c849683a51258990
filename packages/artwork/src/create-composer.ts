import { type Portrait, readPortrait } from "./card-portrait.ts";
import { type FieldValues, fieldsOf, setText, type TextRefusal } from "./card-text.ts";
import { drawPortrait, drawText } from "./face-operators.ts";
import type { LayoutElement } from "./layout-schema.ts";
import { ascii, deflatedObject, type PdfObject, streamObject, writePdf } from "./pdf-file.ts";
import { printedDate } from "./printed-date.ts";
import { CARD_ID, type FittedElement, type OpenFont, readyTemplate, SIDES, typeset } from "./ready-template.ts";
import { drawSeal } from "./seal-operators.ts";
import type { Template } from "./template.ts";

/** What one card says. `expiry` is a date `YYYY-MM-DD`; `portrait` a JPEG, best at 35:45. */
export type CardPerson = {
  readonly force: string;
  readonly name: string;
  readonly rank?: string | undefined;
  readonly number: string;
  readonly portrait: Uint8Array;
  readonly expiry: string;
  readonly cardNumber: string;
};

/** `seal` is the text of the QR code, up to 1,200 characters; without one its place stays reserved. */
export type CardContent = { readonly person: CardPerson; readonly seal?: string | undefined };
export type ComposedCard = { readonly ok: true; readonly pdf: Uint8Array } | TextRefusal;

/** A template made ready: fonts read, drawings turned into operators, fixed parts compressed. Keep it, one a thread. */
export type Composer = {
  /**
   * A two-page CR80 PDF, front then back; equal input gives equal bytes. Text that does not fit, a letter that the font
   * lacks and a missing field are refusals, with the field's name and never its value.
   * @throws ArtworkError `portrait-unusable`, `seal-too-long`, `card-broken` (expiry is not a date)
   */
  compose(card: CardContent): ComposedCard;
};

/** @throws ArtworkError `template-broken`, `svg-refused`, `font-unusable`; never for what `loadTemplate` accepted. */
export function createComposer(template: Template): Composer {
  const ready = readyTemplate(template);
  const { layout } = template;
  const elements = SIDES.flatMap((side) => layout[side]);
  return {
    compose({ person, seal }) {
      const portrait = readPortrait(person.portrait);
      const set = setTexts(elements, ready.fonts, { ...person, expiry: printedDate(person.expiry) });
      if (!set.ok) return set;
      const extras = extrasByFont(ready.fonts, [...set.texts.values()]);
      const draw = (element: LayoutElement): string => {
        if (element.type === "portrait") return drawPortrait(element, portrait, layout.colours);
        if (element.type === "seal") {
          return seal === undefined ? ready.drawEmptySeal(element) : drawSeal(element, seal, layout.colours);
        }
        const fitted = set.texts.get(element);
        return fitted === undefined ? "" : drawText(typeset(fitted, extras.get(fitted.open) ?? []), layout.colours);
      };
      const faces = SIDES.map((side, index) =>
        deflatedObject(CARD_ID.content + index, "", ascii(layout[side].map(draw).join(""))),
      );
      const fonts = [...ready.fonts.values()].flatMap((open) => open.embedded.objects(extras.get(open) ?? []));
      return { ok: true, pdf: writePdf([...ready.objects, ...faces, portraitObject(portrait), ...fonts]) };
    },
  };
}

/** For a single card; many cards share one `createComposer`. */
export function composeCard({ template, ...card }: CardContent & { readonly template: Template }): ComposedCard {
  return createComposer(template).compose(card);
}

type SetTexts = { readonly ok: true; readonly texts: ReadonlyMap<LayoutElement, FittedElement> };

function setTexts(
  elements: readonly LayoutElement[],
  fonts: ReadonlyMap<string, OpenFont>,
  values: FieldValues,
): SetTexts | TextRefusal {
  const texts = new Map<LayoutElement, FittedElement>();
  for (const element of elements) {
    const open = element.type === "text" ? fonts.get(element.font) : undefined;
    if (element.type !== "text" || open === undefined || fieldsOf(element).length === 0) continue;
    const set = setText(element, open.font, values);
    if (!set.ok) return set;
    if (set.fitted !== undefined) texts.set(element, { element, fitted: set.fitted, open });
  }
  return { ok: true, texts };
}

function extrasByFont(fonts: ReadonlyMap<string, OpenFont>, texts: readonly FittedElement[]): Map<OpenFont, number[]> {
  const linesOf = (open: OpenFont) => texts.filter((one) => one.open === open).flatMap((one) => one.fitted.lines);
  return new Map([...fonts.values()].map((open) => [open, open.embedded.extras(linesOf(open))]));
}

function portraitObject({ widthPx, heightPx, colourSpace, jpeg }: Portrait): PdfObject {
  const entries = `/Type/XObject/Subtype/Image/Width ${widthPx}/Height ${heightPx}/ColorSpace/${colourSpace}`;
  return streamObject(CARD_ID.portrait, `${entries}/BitsPerComponent 8/Filter/DCTDecode`, jpeg);
}
