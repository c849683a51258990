import { ArtworkError } from "./artwork-error.ts";
import { parseSvg, type SvgElement } from "./parse-svg.ts";
import { type Box, boxPath, colour, concat, ellipsePath, lineTo, moveTo, num } from "./pdf-operators.ts";
import { pathOperators } from "./svg-path.ts";

/** A drawing turned into PDF operators once, in its own coordinates (y downwards). */
export type Drawing = { readonly viewBox: Box; readonly operators: string };

type Paint = { fill: string; stroke: string; width: number; evenOdd: boolean };

const HEX = /^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/;
const CAPS: Readonly<Record<string, number>> = { butt: 0, miter: 0, round: 1, square: 2, bevel: 2 };

/** @throws ArtworkError `svg-refused` */
export function drawSvg(source: string): Drawing {
  const root = parseSvg(source);
  const box = numbers(root.attributes.get("viewBox") ?? "");
  const [x = 0, y = 0, width = 0, height = 0] = box;
  if (box.length !== 4 || width <= 0 || height <= 0) refuse("needs a viewBox of four numbers");
  const paint: Paint = { fill: "#000000", stroke: "none", width: 1, evenOdd: false };
  return { viewBox: { x, y, width, height }, operators: drawElement(root, paint) };
}

function drawElement(element: SvgElement, inherited: Paint): string {
  const { attributes } = element;
  const paint = readPaint(attributes, inherited);
  const setup = [
    transformOperators(attributes.get("transform")),
    numbered(attributes.get("stroke-linecap"), "J"),
    numbered(attributes.get("stroke-linejoin"), "j"),
  ].join("");
  const body =
    element.name === "svg" || element.name === "g" ? drawChildren(element, paint) : drawShape(element, paint);
  return setup === "" ? body : `q\n${setup}${body}Q\n`;
}

const drawChildren = (element: SvgElement, paint: Paint) =>
  element.children.map((child) => drawElement(child, paint)).join("");

function readPaint(attributes: ReadonlyMap<string, string>, inherited: Paint): Paint {
  const tone = (key: "fill" | "stroke") => {
    const value = attributes.get(key) ?? inherited[key];
    if (value !== "none" && !HEX.test(value)) refuse(`gives a ${key} other than none, #rgb or #rrggbb`);
    return value;
  };
  const rule = attributes.get("fill-rule");
  return {
    fill: tone("fill"),
    stroke: tone("stroke"),
    width: attributes.has("stroke-width") ? number(attributes, "stroke-width") : inherited.width,
    evenOdd: rule === undefined ? inherited.evenOdd : rule === "evenodd",
  };
}

function drawShape({ name, attributes }: SvgElement, paint: Paint): string {
  const path = shapePath(name, attributes);
  const fills = paint.fill !== "none" && name !== "line";
  const strokes = paint.stroke !== "none" && paint.width > 0;
  if (path === "" || (!fills && !strokes)) return "";
  const star = paint.evenOdd ? "*" : "";
  return [
    fills ? colour(paint.fill, "rg") : "",
    strokes ? `${colour(paint.stroke, "RG")}${num(paint.width)} w\n` : "",
    path,
    fills ? (strokes ? `B${star}\n` : `f${star}\n`) : "S\n",
  ].join("");
}

function shapePath(name: string, attributes: ReadonlyMap<string, string>): string {
  const n = (key: string) => number(attributes, key);
  switch (name) {
    case "path":
      return pathOperators(attributes.get("d") ?? "");
    case "rect":
      return boxPath({ x: n("x"), y: n("y"), width: n("width"), height: n("height") }, n("rx"));
    case "circle":
      return ellipsePath(n("cx"), n("cy"), n("r"), n("r"));
    case "ellipse":
      return ellipsePath(n("cx"), n("cy"), n("rx"), n("ry"));
    case "line":
      return moveTo(n("x1"), n("y1")) + lineTo(n("x2"), n("y2"));
    default:
      return polyPath(numbers(attributes.get("points") ?? ""), name === "polygon");
  }
}

function polyPath(points: readonly number[], closed: boolean): string {
  const out: string[] = [];
  for (let at = 0; at + 1 < points.length; at += 2) {
    out.push((at === 0 ? moveTo : lineTo)(points[at] ?? 0, points[at + 1] ?? 0));
  }
  return out.length === 0 ? "" : `${out.join("")}${closed ? "h\n" : ""}`;
}

function transformOperators(source: string | undefined): string {
  if (source === undefined) return "";
  const steps = [...source.matchAll(/(\w+)\s*\(([^()]*)\)[\s,]*/g)];
  if (steps.map(([all]) => all).join("") !== source.trimStart()) refuse("has a transform that cannot be read");
  return steps.map(([, name = "", values = ""]) => transformStep(name, numbers(values))).join("");
}

function transformStep(name: string, values: readonly number[]): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
  if (name === "matrix" && values.length === 6) return concat(a, b, c, d, e, f);
  if (name === "translate" && values.length >= 1) return concat(1, 0, 0, 1, a, b);
  if (name === "scale" && values.length >= 1) return concat(a, 0, 0, values.length > 1 ? b : a, 0, 0);
  if (name !== "rotate" || (values.length !== 1 && values.length !== 3))
    refuse(`has the transform ${name}, which is not allowed`);
  const [cos, sin] = [Math.cos((a * Math.PI) / 180), Math.sin((a * Math.PI) / 180)];
  return concat(1, 0, 0, 1, b, c) + concat(cos, sin, -sin, cos, 0, 0) + concat(1, 0, 0, 1, -b, -c);
}

function numbered(value: string | undefined, operator: "J" | "j"): string {
  if (value === undefined) return "";
  const code = CAPS[value];
  if (code === undefined) refuse("has a line cap or join that is not known");
  return `${code} ${operator}\n`;
}

function number(attributes: ReadonlyMap<string, string>, key: string): number {
  const text = attributes.get(key);
  if (text === undefined) return 0;
  const [value, ...more] = numbers(text);
  if (value === undefined || more.length > 0) refuse(`gives ${key} as something other than one plain number`);
  return value;
}

function numbers(text: string): number[] {
  const parts = text
    .trim()
    .split(/[\s,]+/)
    .filter((part) => part !== "");
  const values = parts.map(Number);
  if (values.some((value) => !Number.isFinite(value) || Math.abs(value) > 1e6))
    refuse("has a number that cannot be read");
  return values;
}

function refuse(what: string): never {
  throw new ArtworkError("svg-refused", `the drawing ${what}`);
}
