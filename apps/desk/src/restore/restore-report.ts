import { link, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
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

const nameOf = (id: string, nth: number): string => `restore-${id}${nth === 1 ? "" : `-${nth}`}.json`;

/**
 * The name that the report of this restore is to have: the first that no report has. A database that was put back twice
 * from the same old backup has two restores of one number.
 */
export async function freeReportName({ folders }: Pick<Desk, "folders">, { id }: Pick<Restore, "id">): Promise<string> {
  await mkdir(folders.reports, { recursive: true, mode: 0o700 });
  const taken = new Set(await readdir(folders.reports));
  let nth = 1;
  while (taken.has(nameOf(id, nth))) nth += 1;
  return nameOf(id, nth);
}

export const toReportText = (report: RestoreReport): string => `${JSON.stringify(report, null, 2)}\n`;

/**
 * Writes the report under this name, whole at once; never over another, whoever wrote that. Where a start that was
 * interrupted wrote this very text already, it writes none.
 */
export async function writeReport(
  { folders }: Pick<Desk, "folders">,
  { id, name }: Pick<Restore, "id"> & { readonly name: string },
  text: string,
): Promise<void> {
  if (await isReported(folders.reports, id, text)) return;
  const draft = join(folders.reports, `${name}.part`);
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  // A link, where a rename would replace what is there.
  await link(draft, join(folders.reports, name));
  await rm(draft);
}

async function isReported(folder: string, id: string, text: string): Promise<boolean> {
  const names = new Set(await readdir(folder));
  for (let nth = 1; names.has(nameOf(id, nth)); nth += 1) {
    if ((await readFile(join(folder, nameOf(id, nth)), "utf8")) === text) return true;
  }
  return false;
}
