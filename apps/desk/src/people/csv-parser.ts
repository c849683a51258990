import { ImportError } from "./import-error.ts";
import { MAX_CELL_LENGTH, MAX_COLUMNS, type TableRow } from "./table.ts";

export type Delimiter = "," | ";" | "\t";

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;

/** Where the parser is: at the start of a cell, in a bare or a quoted one, after a closing quote, after CR. */
type Place = "start" | "bare" | "quoted" | "closed" | "cr";

/**
 * CSV (RFC 4180) fed in pieces that may be cut anywhere; line ends CRLF, LF or CR, also inside quotes. A quote means
 * something only where a cell starts. Throws ImportError `bad-file`, with the line.
 */
export class CsvParser {
  readonly #delimiter: number;
  #place: Place = "start";
  #cell = "";
  #cells: string[] = [];
  #line = 1;
  #rowLine = 1;
  #quoteLine = 1;
  /** The last piece of this quoted cell ended in CR, which an LF now would complete. */
  #crInQuotes = false;
  #rows: TableRow[] = [];

  constructor(delimiter: Delimiter) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** The rows that ended in this piece. */
  push(text: string): TableRow[] {
    let at = 0;
    while (at < text.length) at = this.#place === "quoted" ? this.#quoted(text, at) : this.#outside(text, at);
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** The last row, where no line end follows it. */
  end(): TableRow[] {
    if (this.#place === "quoted") throw this.#bad(this.#quoteLine, "a quote is opened and never closed");
    if (this.#place === "cr") this.#place = "start";
    if (this.#cells.length > 0 || this.#cell !== "" || this.#place !== "start") this.#endRow();
    return this.#rows;
  }

  #outside(text: string, from: number): number {
    let at = from;
    if (this.#place === "cr") {
      this.#place = "start";
      if (text.charCodeAt(at) === LF) return at + 1;
    }
    if (this.#place === "start" && text.charCodeAt(at) === QUOTE) {
      this.#place = "quoted";
      this.#quoteLine = this.#line;
      this.#crInQuotes = false;
      return at + 1;
    }
    if (this.#place === "closed" && text.charCodeAt(at) === QUOTE) {
      this.#cell += '"';
      this.#crInQuotes = false;
      this.#place = "quoted";
      return at + 1;
    }
    let code = text.charCodeAt(at);
    while (at < text.length && code !== this.#delimiter && code !== LF && code !== CR) code = text.charCodeAt(++at);
    if (at > from) this.#bare(text.slice(from, at));
    if (at === text.length) return at;
    if (code === this.#delimiter) this.#endCell();
    else this.#endLine(code);
    return at + 1;
  }

  #bare(piece: string): void {
    if (this.#place === "closed") {
      if (piece.trim() !== "") throw this.#bad(this.#line, "text follows a closing quote");
      return;
    }
    this.#place = "bare";
    this.#append(piece);
  }

  #quoted(text: string, from: number): number {
    const found = text.indexOf('"', from);
    const end = found < 0 ? text.length : found;
    const piece = text.slice(from, end);
    this.#countLines(piece);
    this.#append(piece);
    if (found < 0) return end;
    this.#place = "closed";
    return end + 1;
  }

  #countLines(piece: string): void {
    if (piece === "") return;
    if (this.#crInQuotes && piece.startsWith("\n")) this.#line -= 1;
    this.#crInQuotes = piece.endsWith("\r");
    for (const _ of piece.matchAll(/\r\n|\r|\n/g)) this.#line += 1;
  }

  #append(piece: string): void {
    this.#cell += piece;
    if (this.#cell.length <= MAX_CELL_LENGTH) return;
    const line = this.#place === "quoted" ? this.#quoteLine : this.#line;
    throw this.#bad(line, `a cell is longer than ${MAX_CELL_LENGTH} characters (is a quote left open there?)`);
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    if (this.#cells.length > MAX_COLUMNS) throw this.#bad(this.#rowLine, `more than ${MAX_COLUMNS} columns`);
    this.#cell = "";
    this.#place = "start";
  }

  #endLine(code: number): void {
    this.#endRow();
    this.#line += 1;
    this.#rowLine = this.#line;
    this.#place = code === CR ? "cr" : "start";
  }

  #endRow(): void {
    this.#endCell();
    this.#rows.push({ line: this.#rowLine, cells: this.#cells });
    this.#cells = [];
  }

  #bad(line: number, words: string): ImportError {
    return new ImportError("bad-file", `The extract cannot be read as CSV: line ${line}: ${words}.`);
  }
}

/** The delimiter that stands most often, outside quotes, in the first line of `start`. */
export function sniffDelimiter(start: string): Delimiter {
  const counts: Record<Delimiter, number> = { ",": 0, ";": 0, "\t": 0 };
  let quoted = false;
  for (const letter of start) {
    if (letter === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (letter === "," || letter === ";" || letter === "\t") counts[letter] += 1;
    else if (letter === "\n" || letter === "\r") {
      if (counts[","] + counts[";"] + counts["\t"] > 0) break;
    }
  }
  if (counts[";"] > counts[","] && counts[";"] >= counts["\t"]) return ";";
  return counts["\t"] > counts[","] ? "\t" : ",";
}
