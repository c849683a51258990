import { ImportError } from "./import-error.ts";

export type XmlHandler = {
  /** `name` without its prefix; `attributes` as they stand in the tag. */
  readonly open: (name: string, attributes: string) => void;
  readonly text: (text: string) => void;
  readonly close: (name: string) => void;
};

/** Longest tag, or text between two tags; a longer one is no workbook of a spreadsheet program. */
const MAX_PIECE = 1 << 20;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Scans the XML of a workbook part, fed in pieces cut anywhere. Reads elements, attributes and text, which is all that
 * such parts use; document types (entity bombs) are refused. Throws ImportError `bad-file`.
 */
export class XmlScanner {
  readonly #handler: XmlHandler;
  #rest = "";

  constructor(handler: XmlHandler) {
    this.#handler = handler;
  }

  push(piece: string): void {
    const text = this.#rest + piece;
    let at = 0;
    for (;;) {
      const open = text.indexOf("<", at);
      if (open < 0) break;
      const end = endOfTag(text, open);
      if (end < 0) break;
      if (open > at) this.#handler.text(unescapeXml(text.slice(at, open)));
      this.#tag(text, open, end);
      at = end;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > MAX_PIECE) throw bad("a tag or text in it is too long");
  }

  end(): void {
    if (this.#rest.trim() !== "") throw bad("its XML breaks off");
  }

  #tag(text: string, open: number, end: number): void {
    const second = text.charCodeAt(open + 1);
    if (second === 0x3f) return;
    if (second === 0x21) {
      if (text.startsWith("<!--", open)) return;
      if (!text.startsWith("<![CDATA[", open)) throw bad("its XML declares a document type");
      this.#handler.text(text.slice(open + 9, end - 3));
      return;
    }
    if (second === 0x2f) {
      this.#handler.close(localName(text.slice(open + 2, end - 1).trimEnd()));
      return;
    }
    const empty = text.charCodeAt(end - 2) === 0x2f;
    const inside = text.slice(open + 1, empty ? end - 2 : end - 1);
    const space = inside.search(/\s/);
    const name = localName(space < 0 ? inside : inside.slice(0, space));
    this.#handler.open(name, space < 0 ? "" : inside.slice(space));
    if (empty) this.#handler.close(name);
  }
}

/** Just behind the tag that opens at `open`; -1 where it has not wholly come. */
function endOfTag(text: string, open: number): number {
  if (text.startsWith("<!--", open)) return behind(text, "-->", open);
  if (text.startsWith("<![CDATA[", open)) return behind(text, "]]>", open);
  if (text.startsWith("<!", open) && text.length < open + 9) return -1;
  const end = text.indexOf(">", open);
  if (end < 0) return -1;
  const quote = /["']/.exec(text.slice(open, end));
  return quote === null ? end + 1 : endOfQuotedTag(text, open);
}

function endOfQuotedTag(text: string, open: number): number {
  let quote = "";
  for (let at = open; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === ">") return at + 1;
  }
  return -1;
}

function behind(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The value of an attribute, by its name with or without a prefix; undefined where there is none. */
export function attribute(attributes: string, name: string): string | undefined {
  for (const [, found, double, single] of attributes.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (found === name || found?.slice(found.indexOf(":") + 1) === name) return unescapeXml(double ?? single ?? "");
  }
  return undefined;
}

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|[a-z]{1,8});/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function bad(words: string): ImportError {
  return new ImportError("bad-file", `The extract cannot be read as a workbook: ${words}.`);
}
