import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArtworkError } from "./artwork-error.ts";
import { drawSvg } from "./svg-operators.ts";

const wrap = (inside: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">${inside}</svg>`;

describe("drawSvg()", () => {
  it("draws shapes, groups and transforms", () => {
    const { operators } = drawSvg(
      wrap('<g fill="#f00"><rect x="1" y="2" width="3" height="4" transform="translate(5 6)"/></g>'),
    );
    expect(operators).toBe("q\n1 0 0 1 5 6 cm\n1 0 0 rg\n1 2 3 4 re\nf\nQ\n");
  });

  it("draws every path command, absolute and relative alike", () => {
    const absolute = drawSvg(wrap('<path d="M1 1H3V3L4 4C4 5 5 6 6 6S8 7 8 8Q9 9 9 8T9 6A1 1 0 0 1 8 5Z"/>')).operators;
    const relative = drawSvg(wrap('<path d="m1 1h2v2l1 1c0 1 1 2 2 2s2 1 2 2q1 1 1 0t0-2a1 1 0 0 1-1-1z"/>')).operators;
    expect(relative).toBe(absolute);
  });

  it.each([
    ["a script", wrap("<script>1</script>")],
    ["an image", wrap('<image href="http://localhost/x.png"/>')],
    ["a reference", wrap('<use href="other.svg#x"/>')],
    ["a foreign object", wrap("<foreignObject/>")],
    ["a style sheet", wrap("<style>@import 'x.css'</style>")],
    ["a style attribute", wrap('<rect style="fill:url(http://localhost)"/>')],
    ["paint by address", wrap('<rect width="1" height="1" fill="url(http://localhost/#a)"/>')],
    ["an event handler", wrap('<rect onload="x()"/>')],
    ["text", wrap("<text>Anna</text>")],
    ["loose words", wrap("words")],
    ["a document type", `<!DOCTYPE svg SYSTEM "http://localhost/x.dtd">${wrap("")}`],
    ["an entity", wrap('<path d="&x;"/>')],
    ["a style sheet instruction without end", `<?xml-stylesheet href="x"?${wrap("")}`],
    ["CDATA", wrap("<![CDATA[x]]>")],
    ["an XLink", wrap('<g xlink:href="x"/>')],
    ["no view box", '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ["two roots", wrap("") + wrap("")],
    ["an open element", '<svg viewBox="0 0 1 1"><g>'],
    ["deep nesting", wrap("<g>".repeat(40) + "</g>".repeat(40))],
    ["a flood of elements", wrap("<g/>".repeat(6_000))],
    ["a flood of bytes", wrap(" ".repeat(300_000))],
    ["a number out of bounds", wrap('<rect x="1e99" width="1" height="1"/>')],
    ["broken path data", wrap('<path d="M1 1L2"/>')],
    ["path data without a start", wrap('<path d="L2 2"/>')],
    ["a skew", wrap('<g transform="skewX(4)"/>')],
  ])("refuses %s", (_, source) => {
    expect(() => drawSvg(source)).toThrow(ArtworkError);
  });

  it("throws nothing but its own error, whatever the source", () => {
    const part = fc.constantFrom(
      "<g",
      ">",
      "/>",
      ' d="M0 0',
      "A1 1 0 0 1",
      '"',
      "<path",
      "</g>",
      "e9",
      "-",
      "&",
      "<!--",
      "-->",
      "transform='rotate(",
      ")'",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string({ maxLength: 5 })), { maxLength: 20 }), (parts) => {
        try {
          drawSvg(wrap(parts.join("")));
        } catch (error) {
          expect(error).toBeInstanceOf(ArtworkError);
        }
      }),
    );
  });
});
