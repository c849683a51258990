import { examineFile } from "./examine-file.ts";
import { openCsv } from "./read-csv.ts";
import { openXlsx } from "./read-xlsx.ts";
import type { Table } from "./table.ts";

/** Opens an extract, CSV or XLSX by its content. Throws ImportError `bad-file`. */
export async function openTable(path: string): Promise<Table> {
  const file = await examineFile(path);
  return file.format === "csv" ? await openCsv(path, file) : await openXlsx(path, file);
}
