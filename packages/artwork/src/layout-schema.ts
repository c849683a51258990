import { z } from "zod";

/** ISO/IEC 7810 ID-1, as card printers call it CR80. */
export const CARD = { widthMm: 85.6, heightMm: 53.98 } as const;
const LAYOUT_FORMAT = "tipstaff-card-template/1";

/** What a text may quote of the card, written `{name}`. */
export const CARD_FIELDS = ["force", "name", "rank", "number", "expiry", "cardNumber"] as const;
export type CardField = (typeof CARD_FIELDS)[number];

const LIMITS = { elements: 200, textLength: 600, fonts: 6, drawings: 8, colours: 24 };

const key = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "a short name in small letters, digits and hyphens is required");
const hex = z.string().regex(/^#[0-9a-f]{6}$/i, "a colour such as #10213f is required");
const across = z
  .number()
  .min(-10)
  .max(CARD.widthMm + 10);
const down = z
  .number()
  .min(-10)
  .max(CARD.heightMm + 10);
const length = z.number().positive().max(120);
const points = z.number().min(3, "at least 3 points can be printed").max(72);

const place = { xMm: across, yMm: down, widthMm: length, heightMm: length };

const rectangle = z.strictObject({
  type: z.literal("rectangle"),
  ...place,
  fill: key.optional(),
  stroke: key.optional(),
  strokeMm: z.number().positive().max(5).default(0.2),
  radiusMm: z.number().min(0).max(30).default(0),
});
const drawing = z.strictObject({ type: z.literal("drawing"), ...place, drawing: key });
const portrait = z.strictObject({
  type: z.literal("portrait"),
  ...place,
  radiusMm: z.number().min(0).max(10).default(0),
  stroke: key.optional(),
  strokeMm: z.number().positive().max(5).default(0.2),
});
const text = z.strictObject({
  type: z.literal("text"),
  text: z.string().min(1).max(LIMITS.textLength),
  xMm: across,
  baselineMm: down,
  widthMm: length,
  font: key,
  colour: key,
  sizePt: points,
  minSizePt: points.optional(),
  leading: z.number().min(0.8).max(3).default(1.2),
  maxLines: z.int().min(1).max(20).default(1),
  align: z.enum(["left", "centre", "right"]).default("left"),
  anchor: z.enum(["first-line", "last-line"]).default("first-line"),
  upperCase: z.boolean().default(false),
  trackingPt: z.number().min(-1).max(10).default(0),
  optional: z.boolean().default(false),
});
const seal = z.strictObject({
  type: z.literal("seal"),
  xMm: across,
  yMm: down,
  sizeMm: length,
  ink: key,
  paper: key,
  reserved: z.strictObject({ font: key, text: z.string().min(1).max(60), sizePt: points }),
});

const face = z
  .array(z.discriminatedUnion("type", [rectangle, drawing, portrait, text, seal]))
  .min(1)
  .max(LIMITS.elements);
const fileName = (ending: string) =>
  z
    .string()
    .regex(
      new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\\.${ending}$`),
      `a plain file name ending in .${ending} is required`,
    );

export const BUILT_IN_FONTS = ["source-sans-3-regular", "source-sans-3-semibold", "source-sans-3-bold"] as const;
const font = z.union([z.strictObject({ builtIn: z.enum(BUILT_IN_FONTS) }), z.strictObject({ file: fileName("ttf") })]);

const few = (limit: number) => (entries: object) => Object.keys(entries).length <= limit;

/** The whole of `layout.json`; names that one part uses and no part defines are faults too. */
export const layoutSchema = z
  .strictObject({
    format: z.literal(LAYOUT_FORMAT),
    kind: key,
    title: z.string().min(1).max(60),
    fonts: z.record(key, font).refine(few(LIMITS.fonts), `at most ${LIMITS.fonts} fonts`),
    colours: z.record(key, hex).refine(few(LIMITS.colours), `at most ${LIMITS.colours} colours`),
    drawings: z.record(key, fileName("svg")).refine(few(LIMITS.drawings), `at most ${LIMITS.drawings} drawings`),
    front: face,
    back: face,
  })
  .superRefine((layout, context) => {
    for (const side of ["front", "back"] as const) {
      layout[side].forEach((element, index) => {
        for (const [name, value, known] of references(element, layout)) {
          if (value === undefined || Object.hasOwn(known, value)) continue;
          const defined = Object.keys(known).join(", ") || "none";
          context.addIssue({
            code: "custom",
            path: [side, index, ...name.split(".")],
            message: `"${value}" is not defined; defined: ${defined}`,
          });
        }
        for (const message of textFaults(element))
          context.addIssue({ code: "custom", path: [side, index, "text"], message });
      });
    }
  });

export type Layout = z.infer<typeof layoutSchema>;
export type LayoutElement = Layout["front"][number];
export type TextElement = Extract<LayoutElement, { type: "text" }>;

type Tables = { fonts: object; colours: object; drawings: object };

function references(
  element: LayoutElement,
  { fonts, colours, drawings }: Tables,
): [string, string | undefined, object][] {
  switch (element.type) {
    case "rectangle":
      return [
        ["fill", element.fill, colours],
        ["stroke", element.stroke, colours],
      ];
    case "portrait":
      return [["stroke", element.stroke, colours]];
    case "drawing":
      return [["drawing", element.drawing, drawings]];
    case "text":
      return [
        ["font", element.font, fonts],
        ["colour", element.colour, colours],
      ];
    case "seal":
      return [
        ["ink", element.ink, colours],
        ["paper", element.paper, colours],
        ["reserved.font", element.reserved.font, fonts],
      ];
  }
}

export const PLACEHOLDER = /\{([^{}]*)\}/g;

function textFaults(element: LayoutElement): string[] {
  if (element.type !== "text") return [];
  const known: ReadonlySet<string> = new Set(CARD_FIELDS);
  return [...element.text.matchAll(PLACEHOLDER)]
    .filter(([, name = ""]) => !known.has(name))
    .map(([whole]) => `${whole} is not a placeholder; known: ${CARD_FIELDS.join(", ")}`);
}
