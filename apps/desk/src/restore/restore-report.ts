import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Restore } from "@tipstaff/ledger/postgres";
import type { Desk } from "../desk.ts";
import type { Forgotten } from "./find-forgotten.ts";
import type { MendedCounts } from "./mend-counts.ts";

/** What a restore left behind, in full: job ids, indexes and random ids, nobody's data. */
export type RestoreReport = Restore & Forgotten & { readonly counts: MendedCounts };

/** The report's name in the folder of the reports. */
export const reportName = ({ id }: Pick<Restore, "id">): string => `restore-${id}.json`;

/** Writes the report under its final name at once, over one that an interrupted start left. */
export async function writeReport({ folders }: Pick<Desk, "folders">, report: RestoreReport): Promise<void> {
  await mkdir(folders.reports, { recursive: true, mode: 0o700 });
  const path = join(folders.reports, reportName(report));
  const file = await open(`${path}.part`, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(report, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}
