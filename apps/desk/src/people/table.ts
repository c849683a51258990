/** One row of an extract: the line (CSV) or row number (workbook) where it starts, and its cells as texts. */
export type TableRow = {
  readonly line: number;
  readonly cells: string[];
  /** The workbook does not show it: a filter is in force, or somebody hid it. Never imported; it only tells who is in the extract. */
  readonly hidden?: true;
};

/** What a workbook holds besides the table that is read. */
export type HiddenParts = {
  /** Hidden sheets, by name. */
  readonly sheets: readonly string[];
  /** Headers of hidden columns of the sheet that is read. */
  readonly columns: readonly string[];
  /** How many hidden rows with something in them; counted as the rows are read. */
  readonly rows: number;
  readonly pivotCaches: number;
  /** Visible sheets after the first. */
  readonly furtherSheets: readonly string[];
};

/** An extract that can be read from the top more than once, a few rows at a time. */
export type Table = {
  readonly format: "csv" | "xlsx";
  readonly bytes: number;
  /** SHA-256 of the file. */
  readonly digest: Buffer;
  readonly headers: readonly string[];
  readonly hidden: HiddenParts;
  /** The rows below the header, hidden ones too, without empty ones. Throws ImportError `bad-file`. */
  readonly rows: (onBytes?: (bytes: number) => void) => AsyncGenerator<TableRow[]>;
};

export const MAX_CELL_LENGTH = 32_768;
export const MAX_COLUMNS = 1_000;

export function isEmptyRow(cells: readonly string[]): boolean {
  return cells.every((cell) => cell.trim() === "");
}

/** Cuts empty cells beyond the header's width, and fills missing ones of a workbook's short row. */
export function fitRow(cells: string[], columns: number, fill: boolean): void {
  while (cells.length > columns && cells.at(-1)?.trim() === "") cells.pop();
  while (fill && cells.length < columns) cells.push("");
}
