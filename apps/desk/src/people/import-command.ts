import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { type Applied, applyImport, budgetExceeded } from "./apply-import.ts";
import { createFaultLog, type FaultLog } from "./faults.ts";
import { ImportError } from "./import-error.ts";
import { type ImportOutcome, type ImportReport, toCounts, toReport } from "./import-report.ts";
import { type ColumnMapping, mapColumns } from "./mapping.ts";
import { openPhotos } from "./open-photos.ts";
import { openTable } from "./open-table.ts";
import type { Photos } from "./photos.ts";
import { type ImportPlan, planImport } from "./plan-import.ts";
import { readMapping } from "./read-mapping.ts";
import { asOnlyImport, settleImports } from "./settle-imports.ts";
import { countPresent } from "./stored-people.ts";
import type { Table } from "./table.ts";

const DEFAULT_MAX_LEAVERS = 0.1;
const DEFAULT_MAX_ERRORS = 20;
const NOBODY = "00000000-0000-0000-0000-000000000000";

export type ImportOptions = {
  readonly file: string;
  /** A folder, or a ZIP archive. */
  readonly photos?: string | undefined;
  /** A mapping file. */
  readonly mapping?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Largest share, 0 to 1, of those present that may be missing from the extract; default 0.1. */
  readonly maxLeavers?: number | undefined;
  readonly allowLeavers?: boolean | undefined;
  /** How many faults the report itself holds; default 20. */
  readonly maxErrors?: number | undefined;
  /** Where all faults go; by default a file in the reports folder, and nowhere in a dry run. */
  readonly errors?: string | undefined;
  /** A staff id. */
  readonly actor?: string | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
};

export type ImportProgress = { readonly phase: "reading" | "writing"; readonly done: number; readonly of: number };

/**
 * Imports an extract into the register, all of it or nothing. A dry run says what would be done and writes nothing.
 * Throws ImportError for what a person must put right, KeyholderError, and the database's errors.
 */
export async function importCommand(
  desk: Pick<Desk, "pool" | "keyholder" | "sequencer" | "now" | "folders" | "log">,
  options: ImportOptions,
): Promise<ImportReport> {
  const started = performance.now();
  const table = await openTable(options.file);
  const explicit = options.mapping === undefined ? undefined : await readMapping(options.mapping);
  const mapping = mapColumns(table.headers, explicit);
  const photos = options.photos === undefined ? null : await openPhotos(options.photos);
  try {
    return await asOnlyImport(desk, async () => {
      const importId = randomUUID();
      const faults = createFaultLog(options.maxErrors ?? DEFAULT_MAX_ERRORS, toFaultsPath(desk, options, importId));
      return await report(desk, { importId, options, table, mapping, photos, faults }, started);
    });
  } finally {
    photos?.close();
  }
}

async function report(desk: ImportDesk, work: Work, started: number): Promise<ImportReport> {
  const { faults } = work;
  try {
    const outcome = await runImport(desk, work);
    const faultsFile = await faults.close();
    const seconds = (performance.now() - started) / 1000;
    return toReport({ ...work, ...outcome, faultsFile, seconds, dryRun: work.options.dryRun === true });
  } catch (error) {
    await faults.close();
    throw error;
  }
}

type Work = {
  readonly importId: string;
  readonly options: ImportOptions;
  readonly table: Table;
  readonly mapping: ColumnMapping;
  readonly photos: Photos | null;
  readonly faults: FaultLog;
};
type ImportDesk = Parameters<typeof importCommand>[0];

function toFaultsPath(desk: Pick<Desk, "folders">, options: ImportOptions, importId: string): string | null {
  if (options.errors !== undefined) return options.errors;
  return options.dryRun ? null : join(desk.folders.reports, `import-${importId}-faults.csv`);
}

async function runImport(desk: ImportDesk, work: Work): Promise<ImportOutcome> {
  const { options, table, mapping, photos, faults } = work;
  if (!options.dryRun) await settleImports(desk);
  let read = 0;
  const onBytes = (bytes: number): void => {
    read += bytes;
    options.onProgress?.({ phase: "reading", done: read, of: table.bytes });
  };
  const plan = await planImport(desk, { table, mapping, photos, faults, onBytes });
  if (plan.book.rows === 0) throw new ImportError("bad-file", "The extract has a header and no rows.");
  if (plan.book.rows === plan.rowsHidden) {
    throw new ImportError(
      "bad-file",
      "The extract hides all of its rows. Clear its filter, or show them, and save it.",
    );
  }
  const present = await countPresent(desk.pool);
  const leavers = present - plan.seenPresent;
  const stop = refuseTruncated({ leavers, present, options }) ?? (await refuseUnaffordable(desk, plan));
  if (options.dryRun) {
    const applied = { photoFaults: 0, jobsWithdrawn: 0, possibleLeavers: leavers, unchangedAfterAll: 0 };
    return { plan, applied, wouldStop: stop?.message ?? null };
  }
  if (stop !== undefined) throw stop;
  const applied = await write(desk, work, plan);
  desk.log.info({ importId: work.importId, ...toCounts(plan, applied) }, "import done");
  return { plan, applied, wouldStop: null };
}

async function refuseUnaffordable(desk: ImportDesk, { openings }: ImportPlan): Promise<ImportError | undefined> {
  if (openings === 0) return undefined;
  const { budgetLeft } = await desk.keyholder.call("status", {});
  return openings > budgetLeft ? budgetExceeded(openings, budgetLeft) : undefined;
}

type Leaving = { readonly leavers: number; readonly present: number; readonly options: ImportOptions };

function refuseTruncated(given: Leaving): ImportError | undefined {
  const { leavers, present, options } = given;
  const share = options.maxLeavers ?? DEFAULT_MAX_LEAVERS;
  if (options.allowLeavers || leavers <= share * present) return undefined;
  const percent = (100 * leavers) / present;
  const words = `The extract lacks ${leavers} of the ${present} people in the register (${percent.toFixed(1)} %); at most ${100 * share} % may leave at once.`;
  const todo = "Is it cut off? If they really leave, insist with --allow-leavers, or raise --max-leavers.";
  return new ImportError("too-many-leavers", `${words} Nothing was imported. ${todo}`);
}

/** The import's own row is committed first, so that a later start knows of roots that were made for nothing. */
async function write(desk: ImportDesk, work: Work, plan: ImportPlan): Promise<Applied> {
  const { importId, options, table } = work;
  await desk.pool.query("insert into import (id, state, file_digest, started_at) values ($1, 'running', $2, $3)", [
    importId,
    table.digest,
    desk.now(),
  ]);
  try {
    const { value } = await recordEntries(desk, [toDraft(desk, work, plan)], async (client) => {
      // Held to the end: whoever settles imports meanwhile waits here, and does not take this one for dead.
      const own = await client.query("select 1 from import where id = $1 and state = 'running' for update", [importId]);
      if (own.rows.length !== 1) throw new ImportError("already-running", "Another start took this import for dead.");
      let written = 0;
      const onRows = (rows: number): void => {
        written += rows;
        options.onProgress?.({ phase: "writing", done: written, of: plan.added + plan.changed });
        desk.log.debug({ importId, written }, "import batch written");
      };
      const actor = options.actor ?? NOBODY;
      const applied = await applyImport(desk, client, { ...work, plan, actor, onRows });
      await client.query("update import set state = 'done', finished_at = $2, report = $3 where id = $1", [
        importId,
        desk.now(),
        JSON.stringify(toCounts(plan, applied)),
      ]);
      return applied;
    });
    return value;
  } finally {
    // Failing here changes nothing that was imported; the next start settles it.
    await settleImports(desk).catch((error: unknown) => desk.log.warn({ err: error }, "roots are settled later"));
  }
}

function toDraft(desk: Pick<Desk, "now">, { importId, options, table }: Work, plan: ImportPlan) {
  const detail = {
    added: plan.added,
    changed: plan.changed,
    file: table.digest.toString("hex"),
    import: importId,
    ...(plan.rowsHidden === 0 ? {} : { hidden: plan.rowsHidden }),
    refused: plan.rowsRefused,
    unchanged: plan.unchanged,
  };
  const actor = options.actor === undefined ? {} : { actor: options.actor };
  const at = desk.now().toISOString();
  return { kind: "imported", reference: `import/${importId}`, at, detail: JSON.stringify(detail), ...actor };
}
