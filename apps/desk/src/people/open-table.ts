import { examineFile } from "./examine-file.ts";
import { ImportError } from "./import-error.ts";
import { openCsv } from "./read-csv.ts";
import { openXlsx } from "./read-xlsx.ts";
import type { Table } from "./table.ts";

const WORKBOOK_NAME = /\.xls[xmb]?$/i;

/** Opens an extract, CSV or XLSX by its content. Throws ImportError `bad-file`. */
export async function openTable(path: string): Promise<Table> {
  const file = await examineFile(path);
  if (file.format === "csv" && WORKBOOK_NAME.test(path)) {
    const todo = "Save the workbook again; if this is CSV, give it a name that ends in .csv.";
    throw new ImportError("bad-file", `The extract is named like a workbook, and is none. ${todo}`);
  }
  return file.format === "csv" ? await openCsv(path, file) : await openXlsx(path, file);
}
