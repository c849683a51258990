import { createReadStream } from "node:fs";
import { CsvParser, type Delimiter, sniffDelimiter } from "./csv-parser.ts";
import { assertUnchanged, type Encoding, type ExaminedFile } from "./examine-file.ts";
import { ImportError } from "./import-error.ts";
import { fitRow, isEmptyRow, type Table, type TableRow } from "./table.ts";

const CHUNK_BYTES = 256 * 1024;
/** How much of the file the delimiter is judged by. */
const SNIFF_LENGTH = 64 * 1024;

type CsvFile = ExaminedFile & { readonly format: "csv" };

/** A CSV file as a table; its first row that is not empty is the header. Throws ImportError `bad-file`. */
export async function openCsv(path: string, file: CsvFile): Promise<Table> {
  const delimiter = await sniffFile(path, file.encoding);
  const header = await readHeader(path, file, delimiter);
  return {
    ...{ format: "csv", bytes: file.bytes, digest: file.digest, headers: header.cells },
    hidden: { sheets: [], columns: [], rows: 0, pivotCaches: 0, furtherSheets: [] },
    rows: async function* (onBytes) {
      for await (const rows of parseFile(path, { ...file, delimiter, onBytes })) {
        const body = rows.filter((row) => row.line > header.line && !isEmptyRow(row.cells));
        for (const row of body) fitRow(row.cells, header.cells.length, false);
        if (body.length > 0) yield body;
      }
    },
  };
}

async function sniffFile(path: string, encoding: Encoding): Promise<Delimiter> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of createReadStream(path, { end: SNIFF_LENGTH - 1, highWaterMark: SNIFF_LENGTH })) {
    return sniffDelimiter(decoder.decode(chunk, { stream: true }));
  }
  return ",";
}

async function readHeader(path: string, file: CsvFile, delimiter: Delimiter): Promise<TableRow> {
  for await (const rows of parseFile(path, { ...file, delimiter, onBytes: undefined })) {
    const header = rows.find((row) => !isEmptyRow(row.cells));
    if (header === undefined) continue;
    fitRow(header.cells, 1, false);
    return header;
  }
  throw new ImportError("bad-file", "The extract has no row that is not empty.");
}

type Reading = CsvFile & { readonly delimiter: Delimiter; readonly onBytes: ((bytes: number) => void) | undefined };

async function* parseFile(path: string, reading: Reading): AsyncGenerator<TableRow[]> {
  const decoder = new TextDecoder(reading.encoding);
  const parser = new CsvParser(reading.delimiter);
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const part: Buffer = chunk;
    yield parser.push(decoder.decode(part, { stream: true }));
    reading.onBytes?.(part.length);
  }
  yield parser.push(decoder.decode());
  yield parser.end();
  await assertUnchanged(path, reading.stamp);
}
