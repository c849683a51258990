import { CARD, type LayoutElement, type TextElement } from "./layout-schema.ts";
import { type Box, boxPath, colour, concat, MM, num } from "./pdf-operators.ts";
import type { FittedText, Line } from "./shape-text.ts";
import type { Drawing } from "./svg-operators.ts";

/** The page in points, as `MediaBox` and `TrimBox` give it. */
export const PAGE = { width: CARD.widthMm * MM, height: CARD.heightMm * MM } as const;

type Placed = { xMm: number; yMm: number; widthMm: number; heightMm: number };
type Colours = Readonly<Record<string, string>>;

/** Layouts count millimetres from the top left, PDF points from the bottom left. */
export const toBox = ({ xMm, yMm, widthMm, heightMm }: Placed): Box => ({
  x: xMm * MM,
  y: PAGE.height - (yMm + heightMm) * MM,
  width: widthMm * MM,
  height: heightMm * MM,
});

export function drawRectangle(element: Extract<LayoutElement, { type: "rectangle" }>, colours: Colours): string {
  const fill = element.fill === undefined ? "" : colour(colours[element.fill] ?? "", "rg");
  const stroke = strokeOf(element, colours);
  if (fill === "" && stroke === "") return "";
  const paint = fill === "" ? "S\n" : stroke === "" ? "f\n" : "B\n";
  return `q\n${fill}${stroke}${boxPath(toBox(element), element.radiusMm * MM)}${paint}Q\n`;
}

function strokeOf(element: { stroke?: string | undefined; strokeMm: number }, colours: Colours): string {
  if (element.stroke === undefined) return "";
  return `${colour(colours[element.stroke] ?? "", "RG")}${num(element.strokeMm * MM)} w\n`;
}

/** As large as the box allows, in its middle. `resource` names the drawing among the page's forms, which clip to the view box. */
export function placeDrawing(placed: Placed, { viewBox }: Drawing, resource: string): string {
  const box = toBox(placed);
  const scale = Math.min(box.width / viewBox.width, box.height / viewBox.height);
  const left = box.x + (box.width - viewBox.width * scale) / 2 - viewBox.x * scale;
  const top = box.y + (box.height + viewBox.height * scale) / 2 + viewBox.y * scale;
  return `q\n${concat(scale, 0, 0, -scale, left, top)}/${resource} Do\nQ\n`;
}

type PortraitElement = Extract<LayoutElement, { type: "portrait" }>;

/** Covers the box, the middle of the picture showing, as `object-fit: cover` does. */
export function drawPortrait(
  element: PortraitElement,
  size: { widthPx: number; heightPx: number },
  colours: Colours,
): string {
  const box = toBox(element);
  const scale = Math.max(box.width / size.widthPx, box.height / size.heightPx);
  const [width, height] = [size.widthPx * scale, size.heightPx * scale];
  const outline = boxPath(box, element.radiusMm * MM);
  const picture = concat(width, 0, 0, height, box.x + (box.width - width) / 2, box.y + (box.height - height) / 2);
  const frame = strokeOf(element, colours);
  return `q\n${outline}W n\n${picture}/Portrait Do\nQ\n${frame === "" ? "" : `q\n${frame}${outline}S\nQ\n`}`;
}

export type Typeset = { element: TextElement; fitted: FittedText; resource: string; show(line: Line): string };

export function drawText({ element, fitted, resource, show }: Typeset, colours: Colours): string {
  const gap = fitted.sizePt * element.leading;
  const rise = element.anchor === "last-line" ? (fitted.lines.length - 1) * gap : 0;
  const [left, top, room] = [element.xMm * MM, PAGE.height - element.baselineMm * MM + rise, element.widthMm * MM];
  const share = { left: 0, centre: 0.5, right: 1 }[element.align];
  const lines = fitted.lines.map((line, index) => {
    const at = `1 0 0 1 ${num(left + (room - line.width) * share)} ${num(top - index * gap)} Tm\n`;
    return `${at}${show(line)} TJ\n`;
  });
  const tracking = element.trackingPt === 0 ? "" : `${num(element.trackingPt)} Tc\n`;
  const tone = colour(colours[element.colour] ?? "", "rg");
  return `q\n${tone}BT\n${tracking}/${resource} ${num(fitted.sizePt)} Tf\n${lines.join("")}ET\nQ\n`;
}
