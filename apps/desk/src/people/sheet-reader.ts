import { formatNumber } from "./cell-format.ts";
import { isEmptyRow, MAX_CELL_LENGTH, MAX_COLUMNS, type TableRow } from "./table.ts";
import { isTrue, unescapeCell, type Workbook } from "./workbook.ts";
import { badWorkbook } from "./workbook-parts.ts";
import { attribute, type XmlHandler } from "./xml-scanner.ts";

const MAX_ROWS = 1_048_576;
/** Ranges of hidden columns that are kept; a sheet has at most 16,384 columns. */
const MAX_HIDDEN_RANGES = 16_384;

/** Reads the cells of one sheet (ECMA-376 part 1, 18.3.1) as texts, row by row. */
export class SheetReader {
  readonly handler: XmlHandler;
  readonly #book: Workbook;
  readonly #hidden: { readonly from: number; readonly to: number }[] = [];
  #rows: TableRow[] = [];
  #hiddenRows = 0;
  #rowHidden = false;
  #cells: string[] = [];
  #line = 0;
  #column = -1;
  #type = "n";
  #style = 0;
  #value = "";
  #reading = false;
  #phonetic = 0;

  constructor(book: Workbook) {
    this.#book = book;
    this.handler = {
      open: (tag, attributes) => this.#open(tag, attributes),
      text: (text) => this.#text(text),
      close: (tag) => this.#close(tag),
    };
  }

  /** Is the column (from 0) hidden, by what has been read so far? Columns are told before the first row. */
  isHidden(column: number): boolean {
    return this.#hidden.some(({ from, to }) => column >= from && column <= to);
  }

  /** Hidden rows with something in them, so far. */
  get hiddenRows(): number {
    return this.#hiddenRows;
  }

  /** The rows that ended since the last call; of hidden ones, those with something in them. */
  takeRows(): TableRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #open(tag: string, attributes: string): void {
    if (tag === "c") this.#openCell(attributes);
    else if (tag === "v" || tag === "t") this.#reading = this.#phonetic === 0;
    else if (tag === "row") this.#openRow(attributes);
    else if (tag === "rPh") this.#phonetic += 1;
    else if (tag === "col") this.#openColumns(attributes);
  }

  #openColumns(attributes: string): void {
    const width = attribute(attributes, "width");
    const hidden = isTrue(attribute(attributes, "hidden")) || (width !== undefined && Number(width) === 0);
    if (!hidden || this.#hidden.length >= MAX_HIDDEN_RANGES) return;
    this.#hidden.push({ from: Number(attribute(attributes, "min")) - 1, to: Number(attribute(attributes, "max")) - 1 });
  }

  #openRow(attributes: string): void {
    const said = Number(attribute(attributes, "r") ?? this.#line + 1);
    if (!Number.isInteger(said) || said <= this.#line || said > MAX_ROWS)
      throw badWorkbook("its rows are out of order");
    this.#line = said;
    const height = attribute(attributes, "ht");
    this.#rowHidden = isTrue(attribute(attributes, "hidden")) || (height !== undefined && Number(height) === 0);
    this.#cells = [];
    this.#column = -1;
  }

  #openCell(attributes: string): void {
    const place = attribute(attributes, "r");
    const column = place === undefined ? this.#column + 1 : toColumn(place);
    if (column <= this.#column) throw badWorkbook(`the cells of row ${this.#line} are out of order`);
    // Formatting may reach far to the right of the last value; such cells are empty.
    this.#column = column;
    this.#type = attribute(attributes, "t") ?? "n";
    this.#style = Number(attribute(attributes, "s") ?? 0);
    this.#value = "";
  }

  #text(text: string): void {
    if (!this.#reading) return;
    this.#value += text;
    if (this.#value.length > MAX_CELL_LENGTH) throw badWorkbook(`a cell in row ${this.#line} is too long`);
  }

  #close(tag: string): void {
    if (tag === "v" || tag === "t") this.#reading = false;
    else if (tag === "rPh") this.#phonetic -= 1;
    else if (tag === "c") this.#closeCell();
    else if (tag === "row") this.#closeRow();
  }

  #closeRow(): void {
    if (!this.#rowHidden) this.#rows.push({ line: this.#line, cells: this.#cells });
    else if (!isEmptyRow(this.#cells)) {
      this.#rows.push({ line: this.#line, cells: this.#cells, hidden: true });
      this.#hiddenRows += 1;
    }
  }

  #closeCell(): void {
    if (this.#value === "") return;
    if (this.#column >= MAX_COLUMNS) throw badWorkbook(`row ${this.#line} has more than ${MAX_COLUMNS} columns`);
    while (this.#cells.length < this.#column) this.#cells.push("");
    this.#cells.push(this.#toText());
  }

  #toText(): string {
    const raw = this.#value;
    if (this.#type === "s") {
      const text = this.#book.strings[Number(raw)];
      if (text === undefined) throw badWorkbook(`a cell in row ${this.#line} names a text that is not there`);
      return text;
    }
    if (this.#type === "b") return raw === "1" ? "TRUE" : "FALSE";
    if (this.#type === "n") {
      return formatNumber(raw, this.#book.formats[this.#style] ?? { kind: "plain" }, this.#book.date1904);
    }
    return unescapeCell(raw);
  }
}

/** "A1" is column 0. */
function toColumn(place: string): number {
  const letters = /^([A-Z]{1,3})\d+$/.exec(place)?.[1];
  if (letters === undefined) throw badWorkbook("a cell's place makes no sense");
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
