import { type CellFormat, toCellFormat } from "./cell-format.ts";
import { badWorkbook, scanWhole, type WorkbookParts } from "./workbook-parts.ts";
import { attribute, type XmlHandler } from "./xml-scanner.ts";

const MAX_SMALL_PART_BYTES = 16 * 1024 ** 2;
const MAX_STRINGS_BYTES = 512 * 1024 ** 2;
const MAX_STRINGS_LENGTH = 96 * 1024 ** 2;

/** What a workbook's small parts say, and its shared strings. */
export type Workbook = {
  readonly sheetPart: string;
  readonly hiddenSheets: readonly string[];
  readonly furtherSheets: readonly string[];
  readonly pivotCaches: number;
  readonly date1904: boolean;
  /** By the number of a cell's style. */
  readonly formats: readonly CellFormat[];
  readonly strings: readonly string[];
};

type Sheet = { readonly name: string; readonly id: string; readonly hidden: boolean };

export async function readWorkbook(parts: WorkbookParts): Promise<Workbook> {
  const book = await findBook(parts);
  const { sheets, date1904 } = await readSheetList(parts, book.path);
  const [first, ...further] = sheets.filter((sheet) => !sheet.hidden);
  if (first === undefined) throw badWorkbook("it has no visible sheet");
  const targets = await readTargets(parts, book.path);
  const partOf = (type: string): string | undefined => [...targets.values()].find((one) => one.type === type)?.path;
  return {
    sheetPart: targets.get(first.id)?.path ?? "",
    hiddenSheets: sheets.filter((sheet) => sheet.hidden).map((sheet) => sheet.name),
    furtherSheets: further.map((sheet) => sheet.name),
    pivotCaches: [...parts.names].filter((name) => /\/pivotCacheDefinition[^/]*\.xml$/i.test(name)).length,
    date1904,
    formats: await readFormats(parts, partOf("styles")),
    strings: await readStrings(parts, partOf("sharedStrings")),
  };
}

async function findBook(parts: WorkbookParts): Promise<{ path: string }> {
  const targets = await readTargets(parts, "");
  const path = [...targets.values()].find((one) => one.type === "officeDocument")?.path;
  if (path === undefined) throw badWorkbook("it is another kind of ZIP file");
  return { path };
}

type Target = { readonly type: string; readonly path: string };

/** The relationships of a part, by id. */
async function readTargets(parts: WorkbookParts, part: string): Promise<Map<string, Target>> {
  const folder = part.slice(0, part.lastIndexOf("/") + 1);
  const name = `${folder}_rels/${part.slice(folder.length)}.rels`;
  if (!parts.names.has(name)) throw badWorkbook("it is another kind of ZIP file");
  const targets = new Map<string, Target>();
  const open = (tag: string, attributes: string): void => {
    if (tag !== "Relationship" || attribute(attributes, "TargetMode") === "External") return;
    const type = attribute(attributes, "Type") ?? "";
    const target = attribute(attributes, "Target") ?? "";
    const path = target.startsWith("/") ? target.slice(1) : folder + target;
    targets.set(attribute(attributes, "Id") ?? "", { type: type.slice(type.lastIndexOf("/") + 1), path });
  };
  await scanWhole(parts, name, onlyOpen(open), MAX_SMALL_PART_BYTES);
  return targets;
}

const nothing = (): void => undefined;
const onlyOpen = (open: XmlHandler["open"]): XmlHandler => ({ open, text: nothing, close: nothing });

async function readSheetList(parts: WorkbookParts, path: string): Promise<{ sheets: Sheet[]; date1904: boolean }> {
  const sheets: Sheet[] = [];
  let date1904 = false;
  const open = (tag: string, attributes: string): void => {
    if (tag === "workbookPr") date1904 = isTrue(attribute(attributes, "date1904"));
    if (tag !== "sheet") return;
    const hidden = (attribute(attributes, "state") ?? "visible") !== "visible";
    sheets.push({ name: attribute(attributes, "name") ?? "", id: attribute(attributes, "id") ?? "", hidden });
  };
  await scanWhole(parts, path, onlyOpen(open), MAX_SMALL_PART_BYTES);
  return { sheets, date1904 };
}

export function isTrue(value: string | undefined): boolean {
  return value === "1" || value === "true";
}

async function readFormats(parts: WorkbookParts, path: string | undefined): Promise<CellFormat[]> {
  if (path === undefined) return [];
  const codes = new Map<number, string>();
  const ids: number[] = [];
  let inCellFormats = false;
  const open = (tag: string, attributes: string): void => {
    if (tag === "numFmt")
      codes.set(Number(attribute(attributes, "numFmtId")), attribute(attributes, "formatCode") ?? "");
    else if (tag === "cellXfs") inCellFormats = true;
    else if (tag === "xf" && inCellFormats) ids.push(Number(attribute(attributes, "numFmtId") ?? 0));
  };
  const close = (tag: string): void => {
    if (tag === "cellXfs") inCellFormats = false;
  };
  await scanWhole(parts, path, { open, text: nothing, close }, MAX_SMALL_PART_BYTES);
  return ids.map((id) => toCellFormat(id, codes.get(id)));
}

async function readStrings(parts: WorkbookParts, path: string | undefined): Promise<string[]> {
  const strings: string[] = [];
  if (path === undefined) return strings;
  let current = "";
  let length = 0;
  let inText = false;
  let phonetic = 0;
  const handler: XmlHandler = {
    open: (tag) => {
      if (tag === "si") current = "";
      else if (tag === "t") inText = phonetic === 0;
      else if (tag === "rPh") phonetic += 1;
    },
    text: (text) => {
      if (inText) current += text;
    },
    close: (tag) => {
      if (tag === "t") inText = false;
      else if (tag === "rPh") phonetic -= 1;
      else if (tag === "si") {
        length += current.length + 8;
        if (length > MAX_STRINGS_LENGTH) throw badWorkbook("it holds too much text; export the people's sheet alone");
        strings.push(unescapeCell(current));
      }
    },
  };
  await scanWhole(parts, path, handler, MAX_STRINGS_BYTES);
  return strings;
}

/** Control characters stand in cells as `_x000D_` (ECMA-376 part 1, 22.9.2.19). */
export function unescapeCell(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
