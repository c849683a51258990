import { type Command, InvalidArgumentError } from "commander";
import type { Desk } from "../desk.ts";
import { type ImportProgress, type ImportReport, importCommand } from "./import-command.ts";

type Flags = {
  readonly config: string;
  readonly photos?: string;
  readonly mapping?: string;
  readonly dryRun?: boolean;
  readonly maxLeavers?: number;
  readonly allowLeavers?: boolean;
  readonly maxErrors?: number;
  readonly errors?: string;
  readonly actor?: string;
  readonly json?: boolean;
};

/** Adds `import FILE` to the desk's commands; `withDesk` makes a desk for the length of one piece of work. */
export function addImportCommand(
  program: Command,
  withDesk: (configFile: string, work: (desk: Desk) => Promise<void>) => Promise<void>,
): void {
  program
    .command("import")
    .description("take an extract of people (CSV or XLSX) into the register, all of it or nothing")
    .argument("<file>", "the extract")
    .requiredOption("--config <file>", "the desk's configuration (JSON)")
    .option("--photos <folder>", "photos, named by pay or warrant number")
    .option("--mapping <file>", "which column is what (YAML or JSON)")
    .option("--dry-run", "say what would change, and write nothing")
    .option("--max-leavers <share>", "largest share of people that may be missing, 0 to 1 (default 0.1)", toShare)
    .option("--allow-leavers", "however many are missing, they really leave")
    .option("--max-errors <n>", "how many faults to print (default 20)", toCount)
    .option("--errors <file>", "where all faults go (CSV)")
    .option("--actor <id>", "the staff id of who imports")
    .option("--json", "print the report as JSON")
    .action(async (file: string, flags: Flags) => {
      const onProgress = process.stderr.isTTY ? showProgress : undefined;
      await withDesk(flags.config, async (desk) => {
        const report = await importCommand(desk, { ...flags, file, onProgress });
        process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : toText(report));
      });
    });
}

function toShare(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share <= 1)) throw new InvalidArgumentError("a number from 0 to 1");
  return share;
}

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("a whole number");
  return Number(text);
}

const BAR_WIDTH = 30;

function showProgress({ phase, done, of }: ImportProgress): void {
  const part = of === 0 ? 1 : Math.min(1, done / of);
  const bar = "█".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, "·");
  process.stderr.write(`\r${phase} ${bar} ${Math.floor(part * 100)} %${part === 1 ? "\n" : ""}`);
}

/** The report in words; it names columns, lines and counts, and no value. */
function toText(report: ImportReport): string {
  const { people, added, changed, unchanged, possibleLeavers, photos, photoFaults } = report;
  const would = report.dryRun ? "A dry run; nothing was written.\n" : "";
  const columns = Object.entries(report.mapping).map(([field, header]) => `  ${field} ← ${header}`);
  const left = report.columnsNotStored.map(({ name, category }) => `  ${name} (${category})`);
  const { sheets, columns: hiddenColumns, pivotCaches, furtherSheets } = report.hidden;
  const unread = [
    ...sheets.map((name) => `hidden sheet ${name}`),
    ...hiddenColumns.map((name) => `hidden column ${name}`),
    ...(pivotCaches > 0 ? [`${pivotCaches} pivot caches`] : []),
    ...furtherSheets.map((name) => `further sheet ${name}`),
  ];
  const faults = report.faults.map(
    ({ line, column, reason }) => `  ${line > 0 ? `line ${line}: ` : ""}${column}: ${reason}`,
  );
  const lines = [
    `${would}${people} people: ${added} added, ${changed} changed, ${unchanged} unchanged; ${possibleLeavers} possible leavers`,
    `${photos} photos; ${photoFaults} photos with faults; ${report.rowsRefused} rows refused`,
    "columns",
    ...columns,
    ...(left.length > 0 ? ["not stored, for want of authority", ...left] : []),
    ...(report.columnsUnplaced.length > 0 ? [`not stored, unknown: ${report.columnsUnplaced.join(", ")}`] : []),
    ...(unread.length > 0 ? [`not read: ${unread.join(", ")}`] : []),
    ...(faults.length > 0 ? [`${report.faultCount} faults`, ...faults] : []),
    ...(report.faultsFile === null ? [] : [`all faults: ${report.faultsFile}`]),
  ];
  return `${lines.join("\n")}\n`;
}
