import type { Applied } from "./apply-import.ts";
import type { FaultLog, ImportFault } from "./faults.ts";
import type { ColumnMapping } from "./mapping.ts";
import type { ImportPlan } from "./plan-import.ts";
import type { HiddenParts, Table } from "./table.ts";

export type ImportReport = {
  /** Sound rows of the extract. */
  readonly people: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly possibleLeavers: number;
  /** Photos that belong to a sound row and made its portrait, now or in an earlier import. */
  readonly photos: number;
  readonly photoFaults: number;
  /** Sealed jobs that a changed record withdrew. */
  readonly jobsWithdrawn: number;
  /** Register field → header, or `= value`. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly columnsNotStored: ColumnMapping["columnsNotStored"];
  readonly columnsUnplaced: readonly string[];
  readonly hidden: HiddenParts;
  readonly rowsRefused: number;
  /** Rows below the header that the workbook hides, as a filter does: not imported, and whom they name stays as is. */
  readonly rowsHidden: number;
  readonly faults: readonly ImportFault[];
  readonly faultCount: number;
  readonly faultsFile: string | null;
  readonly seconds: number;
  readonly dryRun: boolean;
  /** Why the import itself would stop, as a dry run finds out: too many would leave, or be opened. */
  readonly wouldStop: string | null;
};

/** How an import, or a dry run of one, ended. */
export type ImportOutcome = {
  readonly plan: ImportPlan;
  readonly applied: Applied;
  readonly wouldStop: string | null;
};

export function toCounts(plan: ImportPlan, applied: Applied) {
  const { added, rowsRefused, rowsHidden, photosUsed } = plan;
  const { possibleLeavers, jobsWithdrawn, photoFaults, unchangedAfterAll } = applied;
  const changed = plan.changed - unchangedAfterAll;
  const unchanged = plan.unchanged + unchangedAfterAll;
  return {
    people: added + changed + unchanged,
    ...{ added, changed, unchanged, possibleLeavers, rowsRefused, rowsHidden, jobsWithdrawn },
    photos: photosUsed - photoFaults,
    photoFaults: plan.photoFaults + photoFaults,
  };
}

type Done = ImportOutcome & {
  readonly table: Table;
  readonly mapping: ColumnMapping;
  readonly faults: FaultLog;
  readonly dryRun: boolean;
  readonly faultsFile: string | null;
  readonly seconds: number;
};

export function toReport({ plan, applied, wouldStop, table, mapping, faults, ...done }: Done): ImportReport {
  const { columnsNotStored, columnsUnplaced, fields } = mapping;
  return {
    ...toCounts(plan, applied),
    mapping: Object.fromEntries(
      [...fields].map(([field, source]) => [field, "always" in source ? `= ${source.always}` : source.header]),
    ),
    ...{ columnsNotStored, columnsUnplaced, hidden: table.hidden },
    ...{ faults: faults.first, faultCount: faults.count(), faultsFile: done.faultsFile },
    seconds: Math.round(done.seconds * 1000) / 1000,
    dryRun: done.dryRun,
    wouldStop,
  };
}
