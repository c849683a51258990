import { composeDesk } from "./compose.ts";
import { readConfig } from "./config.ts";
import { type ImportOptions, type ImportProgress, type ImportReport, importCommand } from "./people/import-command.ts";

const PROGRESS_EVERY_MS = 200;

export type ImportArguments = Omit<ImportOptions, "file" | "onProgress"> & {
  readonly config: string;
  readonly json?: boolean;
};

/** Runs an import beside a desk that may be serving; answers the exit code: 1 where rows were refused. */
export async function runImport(file: string, { config, json, ...options }: ImportArguments): Promise<number> {
  const read = readConfig(config);
  // A person watches this command and gets a report; the log's everyday words would only stand in its way.
  const { desk, close } = await composeDesk(read.logLevel === "info" ? { ...read, logLevel: "warn" } : read);
  try {
    const report = await importCommand(desk, { ...options, file, onProgress: showProgress() });
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : toText(report));
    return report.rowsRefused > 0 ? 1 : 0;
  } finally {
    await close();
  }
}

function showProgress(): (progress: ImportProgress) => void {
  let shown = 0;
  return ({ phase, done, of }) => {
    if (!process.stderr.isTTY || Date.now() - shown < PROGRESS_EVERY_MS) return;
    shown = Date.now();
    const share = of === 0 ? 1 : Math.min(done / of, 1);
    const bar = "#".repeat(Math.round(share * 30)).padEnd(30, ".");
    process.stderr.write(`\r${phase} [${bar}] ${Math.round(share * 100)} %`);
  };
}

function toText(report: ImportReport): string {
  const { hidden: _, ...counts } = report;
  const notStored = report.columnsNotStored.map(({ name, category }) => `  ${name} (${category})`);
  const faults = report.faults.map((fault) => `  ${JSON.stringify(fault)}`);
  return [
    ...(report.dryRun ? ["Nothing was written: a dry run."] : []),
    `${counts.people} people: ${counts.added} new, ${counts.changed} changed, ${counts.unchanged} unchanged`,
    `${counts.possibleLeavers} possible leavers; ${counts.photos} photos, ${counts.photoFaults} photo faults`,
    ...(notStored.length === 0 ? [] : ["Not stored, the register has no authority to hold it:", ...notStored]),
    ...(report.columnsUnplaced.length === 0
      ? []
      : [`Not stored, not recognised: ${report.columnsUnplaced.join(", ")}`]),
    `${counts.rowsRefused} rows refused`,
    ...faults,
    ...(report.faultsFile === null ? [] : [`All faults: ${report.faultsFile}`]),
    "",
  ].join("\n");
}
