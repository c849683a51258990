import { readFileSync } from "node:fs";
import { mayDo } from "./access/roles.ts";
import { findActor } from "./access/tokens.ts";
import { composeDesk } from "./compose.ts";
import { readConfig } from "./config.ts";
import type { Desk } from "./desk.ts";
import { tellFault } from "./people/faults.ts";
import { type ImportOptions, type ImportProgress, importCommand } from "./people/import-command.ts";
import { ImportError } from "./people/import-error.ts";
import type { ImportReport } from "./people/import-report.ts";
import { DeskError } from "./server/desk-error.ts";

const PROGRESS_EVERY_MS = 200;

export type ImportArguments = Omit<ImportOptions, "file" | "onProgress" | "actor"> & {
  readonly config: string;
  /** Holds the token of who imports; without one the entry names nobody. */
  readonly tokenFile?: string;
  readonly json?: boolean;
};

/** Runs an import beside a desk that may be serving; answers the exit code: 1 where rows were refused or are hidden, or would stop it. */
export async function runImport(
  file: string,
  { config, json, tokenFile, ...options }: ImportArguments,
): Promise<number> {
  const read = readConfig(config);
  // A person watches this command and gets a report; the log's everyday words would only stand in its way.
  const { desk, close } = await composeDesk(read.logLevel === "info" ? { ...read, logLevel: "warn" } : read);
  try {
    const actor = tokenFile === undefined ? undefined : await readActor(desk, tokenFile);
    const report = await importCommand(desk, { ...options, actor, file, onProgress: showProgress() }).catch(
      (error: unknown) => {
        throw error instanceof ImportError ? nameFiles(error, { file, ...options }) : error;
      },
    );
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : toText(report));
    return report.rowsRefused + report.rowsHidden > 0 || report.wouldStop !== null ? 1 : 0;
  } finally {
    await close();
  }
}

/** Says of which files an error tells: whoever imports several could not know. */
function nameFiles(error: ImportError, { file, mapping, photos }: ImportOptions): ImportError {
  const other = { "bad-mapping": mapping, "bad-photos": photos };
  const beside = error.code === "bad-mapping" || error.code === "bad-photos" ? other[error.code] : undefined;
  const named = beside === undefined ? file : `${file}, ${beside}`;
  return new ImportError(error.code, `${named}: ${error.message}`, { cause: error });
}

/** The staff id whose token the file holds. Throws DeskError `bad-arguments`. */
async function readActor({ pool }: Pick<Desk, "pool">, tokenFile: string): Promise<string> {
  let token: string;
  try {
    token = readFileSync(tokenFile, "utf8").trim();
  } catch {
    throw new DeskError("bad-arguments", `The token file ${tokenFile} cannot be read`);
  }
  const actor = await findActor(pool, `Bearer ${token}`);
  if (actor === undefined) throw new DeskError("bad-arguments", "The token file holds the token of no member of staff");
  if (!mayDo(actor, "import-people")) throw new DeskError("bad-arguments", "This login's roles do not allow an import");
  return actor.id;
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
  const { hidden, ...counts } = report;
  const notStored = report.columnsNotStored.map(({ name, category }) => `  ${name} (${category})`);
  const faults = report.faults.map((fault) => `  ${tellFault(fault)}`);
  return [
    ...(report.dryRun ? ["Nothing was written: a dry run."] : []),
    ...(report.wouldStop === null ? [] : [`The import itself would stop: ${report.wouldStop}`]),
    `${counts.people} people: ${counts.added} new, ${counts.changed} changed, ${counts.unchanged} unchanged`,
    `${counts.possibleLeavers} possible leavers; ${counts.photos} photos, ${counts.photoFaults} photo faults`,
    ...(notStored.length === 0 ? [] : ["Not stored, the register has no authority to hold it:", ...notStored]),
    ...(report.columnsUnplaced.length === 0
      ? []
      : [`Not stored, not recognised: ${report.columnsUnplaced.join(", ")}`]),
    ...toHidden(hidden),
    ...toHiddenRows(report),
    `${counts.rowsRefused} rows refused`,
    ...faults,
    ...(report.faultsFile === null ? [] : [`All faults: ${report.faultsFile}`]),
    "",
  ].join("\n");
}

function toHiddenRows({ rowsHidden }: ImportReport): string[] {
  if (rowsHidden === 0) return [];
  const words = `${rowsHidden} rows were not imported, the workbook hides them (as a filter does).`;
  return [
    `${words} Whom they name stays as is and is no leaver.`,
    "To import them: clear the filter or show the rows, save, import again.",
  ];
}

function toHidden({ sheets, furtherSheets, columns, pivotCaches }: ImportReport["hidden"]): string[] {
  const parts = [
    ...(sheets.length === 0 ? [] : [`${sheets.length} hidden sheets`]),
    ...(furtherSheets.length === 0 ? [] : [`${furtherSheets.length} further sheets`]),
    ...(columns.length === 0 ? [] : [`hidden columns ${columns.join(", ")}`]),
    ...(pivotCaches === 0 ? [] : [`${pivotCaches} pivot caches`]),
  ];
  return parts.length === 0 ? [] : [`Not read, the workbook hides it: ${parts.join("; ")}`];
}
