import type { FaultLog } from "./faults.ts";
import type { ColumnMapping } from "./mapping.ts";
import type { PersonDetails } from "./person-details.ts";
import { createRowChecker } from "./row.ts";
import type { Table, TableRow } from "./table.ts";

const BATCH_ROWS = 1_000;

export type SoundRow = { readonly place: number; readonly line: number; readonly details: PersonDetails };

/** Rows that follow each other, from the `first` of the extract on. */
export type Batch = {
  readonly first: number;
  readonly rows: number;
  readonly sound: readonly SoundRow[];
  /** Numbers of hidden rows; "" where there is none that can be read. */
  readonly hidden: readonly { readonly payNumber: string; readonly warrantNumber: string }[];
  /** Pay numbers of rows that are refused or hidden: their owners are in the extract all the same. */
  readonly otherPay: readonly string[];
};

export type BatchReading = {
  readonly table: Table;
  readonly mapping: ColumnMapping;
  readonly faults: FaultLog;
  readonly onBytes?: (bytes: number) => void;
};

/** Reads and checks all rows of an extract; what is wrong with one is a fault, unless it is hidden. Throws ImportError. */
export async function* readBatches({ table, mapping, faults, onBytes }: BatchReading): AsyncGenerator<Batch> {
  const check = createRowChecker(mapping, table.headers.length);
  let first = 0;
  const toBatch = (rows: readonly TableRow[]): Batch => {
    const sound: SoundRow[] = [];
    const hidden: Batch["hidden"][number][] = [];
    const otherPay: string[] = [];
    for (const [at, { line, cells, hidden: isHidden }] of rows.entries()) {
      const checked = check(line, cells);
      if (isHidden) hidden.push(checked.ok ? checked.details : { payNumber: checked.payNumber, warrantNumber: "" });
      else if (checked.ok) sound.push({ place: first + at, line, details: checked.details });
      else {
        for (const fault of checked.faults) faults.add(fault);
        otherPay.push(checked.payNumber);
      }
    }
    otherPay.push(...hidden.map(({ payNumber }) => payNumber));
    first += rows.length;
    return {
      first: first - rows.length,
      rows: rows.length,
      sound,
      hidden,
      otherPay: otherPay.filter((pay) => pay !== ""),
    };
  };
  let waiting: TableRow[] = [];
  for await (const rows of table.rows(onBytes)) {
    waiting.push(...rows);
    for (; waiting.length >= BATCH_ROWS; waiting = waiting.slice(BATCH_ROWS)) {
      yield toBatch(waiting.slice(0, BATCH_ROWS));
    }
  }
  if (waiting.length > 0) yield toBatch(waiting);
}
