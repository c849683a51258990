import type { PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { fingerprintPhotos } from "./compute-indexes.ts";
import type { FaultLog } from "./faults.ts";
import { ImportError } from "./import-error.ts";
import { inOrder } from "./in-order.ts";
import type { ColumnMapping } from "./mapping.ts";
import { insertPeople, noteSeen, updatePeople, type WrittenPerson } from "./people-store.ts";
import type { PersonDetails } from "./person-details.ts";
import type { Photos } from "./photos.ts";
import type { PlannedRow } from "./plan-book.ts";
import type { ImportPlan } from "./plan-import.ts";
import { eachPhoto, makePortrait, type Portrait } from "./portrait.ts";
import { sealDetails, sealPortrait } from "./register.ts";
import { createRowChecker } from "./row.ts";
import type { Table } from "./table.ts";
import { withdrawSealedJobs } from "./withdraw-jobs.ts";

const BATCH_ROWS = 1_000;
/** Portraits of a batch stand in memory together, some 60 KB each. */
const BATCH_PHOTOS = 200;

export type Applying = {
  readonly importId: string;
  /** A staff id, for the keyholder's journal. */
  readonly actor: string;
  readonly table: Table;
  readonly mapping: ColumnMapping;
  readonly photos: Photos | null;
  readonly plan: ImportPlan;
  readonly faults: FaultLog;
  readonly onRows?: (rows: number) => void;
};

export type Applied = {
  readonly photoFaults: number;
  readonly jobsWithdrawn: number;
  readonly possibleLeavers: number;
  /** Rows that were to change by their photo alone, of which no portrait could be made. */
  readonly unchangedAfterAll: number;
};

type Task = { readonly line: number; readonly planned: PlannedRow; readonly details: PersonDetails };
type Ready = {
  readonly written: readonly WrittenPerson[];
  readonly added: ReadonlySet<string>;
  readonly photoFaults: number;
  readonly rows: number;
};

/**
 * Writes what was planned, within the caller's transaction: reads the extract again, makes roots, seals, inserts.
 * Running it again after a rollback asks the keyholder for the same roots. Throws ImportError, KeyholderError.
 */
export async function applyImport(
  desk: Pick<Desk, "keyholder">,
  client: PoolClient,
  applying: Applying,
): Promise<Applied> {
  let photoFaults = 0;
  let jobsWithdrawn = 0;
  let unchangedAfterAll = 0;
  for await (const ready of inOrder(tasks(applying), (batch) => prepare(desk, applying, batch))) {
    const added = ready.written.filter((person) => ready.added.has(person.id));
    const changed = ready.written.filter((person) => !ready.added.has(person.id));
    await insertPeople(client, applying.importId, added);
    const updated = await updatePeople(client, applying.importId, changed);
    if (updated !== changed.length) throw changedMeanwhile();
    if (changed.length > 0)
      jobsWithdrawn += await withdrawSealedJobs(
        client,
        changed.map((person) => person.id),
      );
    photoFaults += ready.photoFaults;
    unchangedAfterAll += ready.rows - ready.written.length;
    await applying.faults.flush();
    applying.onRows?.(ready.rows);
  }
  const possibleLeavers = await noteSeen(client, applying.importId, applying.plan.seen);
  return { photoFaults, jobsWithdrawn, possibleLeavers, unchangedAfterAll };
}

/** The rows that need work, in batches; those that did not change are passed over. */
async function* tasks({ table, mapping, plan }: Applying): AsyncGenerator<Task[]> {
  const { book } = plan;
  if (plan.added + plan.changed === 0) return;
  const check = createRowChecker(mapping, table.headers.length);
  let place = 0;
  let batch: Task[] = [];
  let photos = 0;
  for await (const rows of table.rows()) {
    for (const { line, cells } of rows) {
      const here = place++;
      const planned = here < book.rows ? book.read(here) : undefined;
      if (planned === undefined) throw changedMeanwhile();
      const idle = planned.kind === "refused" || (planned.kind === "unchanged" && planned.photo < 0);
      if (idle) continue;
      const checked = check(line, cells);
      if (!checked.ok) throw changedMeanwhile();
      batch.push({ line, planned, details: checked.details });
      if (planned.photo >= 0) photos += 1;
      if (batch.length < BATCH_ROWS && photos < BATCH_PHOTOS) continue;
      yield batch;
      batch = [];
      photos = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

async function prepare(desk: Pick<Desk, "keyholder">, applying: Applying, batch: readonly Task[]): Promise<Ready> {
  const made = await makePortraits(desk, applying, batch);
  const work = batch.filter((task) => task.planned.kind !== "unchanged" || made.portraits.has(task));
  const added = work.filter((task) => task.planned.kind === "added");
  const deks = await fetchDeks(desk, applying, work);
  const written = work.map((task): WrittenPerson => {
    const { personId, payIndex, warrantIndex, fingerprint } = task.planned;
    const dek = deks.get(personId);
    if (dek === undefined) throw changedMeanwhile();
    const recordVersion = task.planned.recordVersion + 1;
    const place = { personId, recordVersion };
    const portrait = made.portraits.get(task);
    return {
      ...{ id: personId, recordVersion, payIndex, warrantIndex, fingerprint },
      details: sealDetails(dek, place, task.details),
      portrait:
        portrait === undefined
          ? null
          : { sealed: sealPortrait(dek, place, portrait.jpeg), fingerprint: portrait.fingerprint },
    };
  });
  const ids = new Set(added.map((task) => task.planned.personId));
  return { written, added: ids, photoFaults: made.faults, rows: batch.length };
}

type MadePortrait = { readonly jpeg: Buffer; readonly fingerprint: Buffer };

async function makePortraits(
  desk: Pick<Desk, "keyholder">,
  applying: Applying,
  batch: readonly Task[],
): Promise<{ portraits: Map<Task, MadePortrait>; faults: number }> {
  const wanted = batch.filter((task) => task.planned.photo >= 0);
  const good: { task: Task; portrait: Portrait }[] = [];
  const answers = await eachPhoto(wanted, async ({ planned }) => {
    const file = applying.photos?.files[planned.photo];
    return file === undefined ? undefined : await makePortrait(file);
  });
  for (const [at, task] of wanted.entries()) {
    const answer = answers[at];
    if (answer?.ok) good.push({ task, portrait: answer.value });
    else applying.faults.add({ line: task.line, column: "photo", reason: answer?.reason ?? "photo-unreadable" });
  }
  const fingerprints = await fingerprintPhotos(
    desk.keyholder,
    good.map(({ portrait }) => portrait.digest),
  );
  const portraits = new Map<Task, MadePortrait>();
  for (const [at, { task, portrait }] of good.entries()) {
    const fingerprint = fingerprints[at];
    if (fingerprint !== undefined) portraits.set(task, { jpeg: portrait.jpeg, fingerprint });
  }
  return { portraits, faults: wanted.length - good.length };
}

/** Roots of those who are added are made, and cost no opening; the others' DEKs are opened within the budget. */
async function fetchDeks(
  desk: Pick<Desk, "keyholder">,
  { importId, actor }: Applying,
  work: readonly Task[],
): Promise<Map<string, Buffer>> {
  const ids = (kind: "added" | "other"): string[] =>
    work.filter((task) => (task.planned.kind === "added") === (kind === "added")).map((task) => task.planned.personId);
  const deks = new Map<string, Buffer>();
  const keep = (persons: readonly string[], found: readonly (string | null)[]): void => {
    for (const [at, person] of persons.entries()) {
      const dek = found[at];
      if (dek !== undefined && dek !== null) deks.set(person, Buffer.from(dek, "base64url"));
    }
  };
  const added = ids("added");
  if (added.length > 0) {
    keep(added, (await desk.keyholder.call("roots/create", { batchId: toBatchId(importId), persons: added })).deks);
  }
  const other = ids("other");
  if (other.length > 0) {
    const question = { persons: other, purpose: "import", reference: `import/${importId}`, actor } as const;
    const answer = await desk.keyholder.call("deks/open", question);
    if (!answer.ok) throw budgetExceeded(other.length, answer.left);
    keep(other, answer.deks);
  }
  return deks;
}

/** The name under which the keyholder knows the roots of an import until it is told to keep or drop them. */
export function toBatchId(importId: string): string {
  return `import-${importId}`;
}

export function budgetExceeded(wanted: number, left: number): ImportError {
  const words = `The extract changes records: ${wanted} must be opened, and the keyholder's budget allows ${left} more today.`;
  const todo = `Nothing was imported. Raise it at the keyholder's console (tipstaff keyholder allow --openings ${wanted - left}) and import again.`;
  return new ImportError("budget-exceeded", `${words} ${todo}`);
}

function changedMeanwhile(): ImportError {
  const words = "The extract or the register changed while the import ran; nothing was imported. Import again.";
  return new ImportError("changed-meanwhile", words);
}
