import { ArtworkError } from "./artwork-error.ts";

/** One element of the small, closed part of SVG that templates may use. */
export type SvgElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly SvgElement[];
};

const LIMITS = { bytes: 256 * 1024, elements: 5_000, depth: 16 };
const PAINT = ["fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "fill-rule", "transform"];
const ALLOWED: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    svg: ["xmlns", "viewBox", "width", "height", "version", ...PAINT],
    g: PAINT,
    path: ["d", ...PAINT],
    rect: ["x", "y", "width", "height", "rx", ...PAINT],
    circle: ["cx", "cy", "r", ...PAINT],
    ellipse: ["cx", "cy", "rx", "ry", ...PAINT],
    line: ["x1", "y1", "x2", "y2", ...PAINT],
    polygon: ["points", ...PAINT],
    polyline: ["points", ...PAINT],
  }).map(([name, attributes]) => [name, new Set(attributes)]),
);

const TOKEN =
  /<!--[\s\S]*?-->|<\?xml[^<>]*\?>|<\/([A-Za-z][\w.-]*)\s*>|<([A-Za-z][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|\s+/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads a drawing. Only shapes, groups and plain paint are known: no scripts, styles, images, links, text, entities or
 * document types, so nothing in it can point outside itself.
 * @throws ArtworkError `svg-refused`, naming the element or attribute that is not allowed.
 */
export function parseSvg(source: string): SvgElement {
  if (source.length > LIMITS.bytes) refuse(`is larger than ${LIMITS.bytes} bytes`);
  type Open = { name: string; attributes: Map<string, string>; children: SvgElement[] };
  const top: SvgElement[] = [];
  const open: Open[] = [];
  let count = 0;
  let at = source.startsWith("\uFEFF") ? 1 : 0;
  while (at < source.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(source);
    if (token === null) refuse(`has something other than shapes at character ${at}`);
    at = TOKEN.lastIndex;
    const [, closes, opens, attributes, empty] = token;
    if (closes !== undefined) {
      if (open.pop()?.name !== closes) refuse(`closes <${closes}> where it is not open`);
    } else if (opens !== undefined) {
      count += 1;
      if (count > LIMITS.elements) refuse(`has more than ${LIMITS.elements} elements`);
      if (open.length >= LIMITS.depth) refuse(`is nested deeper than ${LIMITS.depth}`);
      const element: Open = { name: opens, attributes: readAttributes(opens, attributes ?? ""), children: [] };
      (open.at(-1)?.children ?? top).push(element);
      if (empty === "") open.push(element);
    }
  }
  const [root] = top;
  if (open.length > 0) refuse("ends before its elements are closed");
  if (root === undefined || top.length !== 1 || root.name !== "svg") refuse("must be exactly one <svg> element");
  return root;
}

function readAttributes(name: string, source: string): Map<string, string> {
  const allowed = ALLOWED.get(name);
  if (allowed === undefined) refuse(`uses <${name}>, which is not allowed`);
  const attributes = new Map<string, string>();
  for (const [, key = "", double, single] of source.matchAll(ATTRIBUTE)) {
    const value = double ?? single ?? "";
    if (!allowed.has(key)) refuse(`uses the attribute ${key} on <${name}>, which is not allowed`);
    if (value.includes("&")) refuse(`uses an entity in ${key} on <${name}>`);
    if (attributes.has(key)) refuse(`gives ${key} on <${name}> twice`);
    attributes.set(key, value);
  }
  return attributes;
}

function refuse(what: string): never {
  throw new ArtworkError("svg-refused", `the drawing ${what}`);
}
