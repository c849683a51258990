import { assertUnchanged, type ExaminedFile } from "./examine-file.ts";
import { ImportError } from "./import-error.ts";
import { SheetReader } from "./sheet-reader.ts";
import { fitRow, isEmptyRow, type Table, type TableRow } from "./table.ts";
import { readWorkbook, type Workbook } from "./workbook.ts";
import { openWorkbookParts } from "./workbook-parts.ts";

/**
 * The first visible sheet of a workbook as a table; its first visible row that is not empty is the header. Hidden sheets,
 * columns and pivot caches are told, not read; hidden rows are marked as such. Throws ImportError `bad-file`.
 */
export async function openXlsx(path: string, file: ExaminedFile): Promise<Table> {
  const { book, header, hidden } = await openHeader(path);
  const { furtherSheets, pivotCaches, hiddenSheets: sheets } = book;
  const shown = header.cells.map((_, column) => column).filter((column) => !hidden(column));
  const width = shown.length;
  let hiddenRows = 0;
  return {
    ...{ format: "xlsx", bytes: file.bytes, digest: file.digest },
    headers: shown.map((column) => header.cells[column] ?? ""),
    hidden: {
      ...{ sheets, pivotCaches, furtherSheets },
      columns: header.cells.filter((cell, column) => hidden(column) && cell.trim() !== ""),
      get rows() {
        return hiddenRows;
      },
    },
    rows: async function* (onBytes) {
      const onEnd = (reader: SheetReader): void => {
        hiddenRows = reader.hiddenRows;
      };
      for await (const rows of readSheet(path, { book, onBytes, onEnd })) {
        const body: TableRow[] = [];
        for (const { cells, ...row } of rows) {
          if (row.line <= header.line) continue;
          const visible = cells.filter((_, column) => !hidden(column));
          if (isEmptyRow(visible)) continue;
          fitRow(visible, width, true);
          body.push({ ...row, cells: visible });
        }
        if (body.length > 0) yield body;
      }
      await assertUnchanged(path, file.stamp);
    },
  };
}

type Opened = { readonly book: Workbook; readonly header: TableRow; readonly hidden: (column: number) => boolean };

async function openHeader(path: string): Promise<Opened> {
  const parts = await openWorkbookParts(path);
  try {
    const book = await readWorkbook(parts);
    const reader = new SheetReader(book);
    for await (const _ of parts.scan(book.sheetPart, reader.handler)) {
      const header = findHeader(reader);
      if (header === undefined) continue;
      fitRow(header.cells, 1, false);
      return { book, header, hidden: (column) => reader.isHidden(column) };
    }
    const header = findHeader(reader);
    if (header !== undefined) return { book, header, hidden: (column) => reader.isHidden(column) };
    throw new ImportError("bad-file", "The first visible sheet of the workbook is empty.");
  } finally {
    parts.close();
  }
}

function findHeader(reader: SheetReader): TableRow | undefined {
  return reader.takeRows().find((row) => row.hidden === undefined && !isEmptyRow(row.cells));
}

type SheetReading = {
  readonly book: Workbook;
  readonly onBytes: ((bytes: number) => void) | undefined;
  readonly onEnd: (reader: SheetReader) => void;
};

async function* readSheet(path: string, { book, onBytes, onEnd }: SheetReading): AsyncGenerator<TableRow[]> {
  const parts = await openWorkbookParts(path);
  try {
    const reader = new SheetReader(book);
    for await (const bytes of parts.scan(book.sheetPart, reader.handler)) {
      yield reader.takeRows();
      onBytes?.(bytes);
    }
    onEnd(reader);
    yield reader.takeRows();
  } finally {
    parts.close();
  }
}
