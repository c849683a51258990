import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Restore } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import type { Forgotten } from "./find-forgotten.ts";
import type { MendedCounts } from "./mend-counts.ts";
import type { RebuiltState } from "./rebuild-state.ts";

/** What a restore left behind and what came back, in full: job ids, indexes and random ids, nobody's data. */
export type RestoreReport = Restore &
  Forgotten & {
    /** Entries that came back from the log's folder. */
    readonly entries: number;
    readonly counts: MendedCounts;
    readonly rebuilt: RebuiltState;
  };

/** The report's name in the folder of the reports. */
export const reportName = ({ id }: Pick<Restore, "id">): string => `restore-${id}.json`;

export const toReportText = (report: RestoreReport): string => `${JSON.stringify(report, null, 2)}\n`;

/** Writes the report under its final name at once, over one that an interrupted start left. */
export async function writeReport(
  { folders }: Pick<Desk, "folders">,
  restore: Pick<Restore, "id">,
  text: string,
): Promise<void> {
  await mkdir(folders.reports, { recursive: true, mode: 0o700 });
  const path = join(folders.reports, reportName(restore));
  const file = await open(`${path}.part`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}
