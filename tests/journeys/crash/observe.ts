import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, parse as parsePath } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";
import pg from "pg";
import { z } from "zod";
import { verifyLedger } from "../../../apps/cli/src/commands/ledger.ts";
import type { Home, Settings } from "../../../apps/cli/src/services/installation.ts";
import type { LimitSample, Observed, Page, Terms } from "./observed.ts";
import { readLeaves } from "./read-leaves.ts";

const text = z.string();
const jobRow = z.object({
  job: text,
  state: text,
  attempt: z.int(),
  cardNumber: text,
  blank: text.nullable(),
  scanned: z.boolean(),
});
const releaseRow = z.object({ job: text, attempt: z.int(), state: text, leafHash: text, operation: text });
const receiptRow = z.object({ job: text, attempt: z.int(), result: text, blank: text, operation: text });
const intentRow = z.object({ job: text, attempt: z.int(), blank: text });
const bureauReceiptRow = z.object({ job: text, attempt: z.int(), result: text, blank: text });
const approvalRow = z.object({ job: text, attempt: z.int() });

/**
 * Reads everything that shows what happened, after bureau and keyholder ended (their stores are theirs alone while they
 * run) and while the database still answers.
 */
export async function observe(given: {
  home: Home;
  settings: Settings;
  databaseUrl: string;
  terms: Terms;
  samples: readonly LimitSample[];
}): Promise<Observed> {
  const { home, settings, databaseUrl, terms, samples } = given;
  const desk = await observeDesk(databaseUrl);
  const { unaccounted, ...deskRows } = desk;
  const keyholder = observeKeyholder(home, settings.recipient);
  const pages = await readPages(home.printer, new Set(desk.jobs.map(({ cardNumber }) => cardNumber)));
  const verdict = await verifyQuietly({ home, verifierKey: settings.logVerifierKey });
  return {
    pages,
    bureau: observeBureau(home),
    desk: deskRows,
    keyholder: { outcomes: keyholder.outcomes },
    ledger: { entries: readLeaves(home.tiles), ...verdict },
    unaccounted: { desk: unaccounted, keyholder: keyholder.unaccounted },
    samples,
    terms,
  };
}

async function observeDesk(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const read = async <T extends z.ZodType>(row: T, sql: string): Promise<z.infer<T>[]> =>
      z.array(row).parse((await client.query(sql)).rows);
    return {
      jobs: await read(
        jobRow,
        `select job.id job, state, attempt, card.number "cardNumber", job.blank, scanned_at is not null scanned
         from job join card on card.id = card_id`,
      ),
      releases: await read(
        releaseRow,
        `select job_id job, attempt, state, encode(leaf_hash, 'hex') "leafHash", encode(operation_id, 'hex') operation
         from release`,
      ),
      receipts: await read(
        receiptRow,
        `select receipt.job_id job, receipt.attempt, job.result, job.blank, encode(operation_id, 'hex') operation
         from receipt join job on job.id = receipt.job_id`,
      ),
      approvals: await read(approvalRow, "select job_id job, attempt from attempt_approval"),
      unaccounted: z
        .array(z.object({ n: z.int() }))
        .parse((await client.query("select unaccounted n from recipient_state")).rows)
        .reduce((sum, { n }) => sum + n, 0),
    };
  } finally {
    await client.end();
  }
}

function observeKeyholder(home: Home, recipient: string) {
  const store = new DatabaseSync(join(home.keyholder, "store.db"), { readOnly: true });
  try {
    const outcomes = z
      .array(z.object({ leafHash: text, outcome: text }))
      .parse(store.prepare("select leaf_hash leafHash, outcome from outcome").all());
    const counted = z
      .object({ unaccounted: z.int() })
      .optional()
      .parse(store.prepare("select unaccounted from counter where recipient = ?").get(recipient));
    return { outcomes, unaccounted: counted?.unaccounted ?? 0 };
  } finally {
    store.close();
  }
}

function observeBureau(home: Home) {
  const store = new DatabaseSync(join(home.bureau, "bureau.db"), { readOnly: true });
  try {
    return {
      intents: z.array(intentRow).parse(store.prepare("select job, attempt, blank from intents").all()),
      receipts: z
        .array(z.object({ body: text }))
        .parse(store.prepare("select body from receipts").all())
        .map(({ body }) => bureauReceiptRow.parse(JSON.parse(body))),
    };
  } finally {
    store.close();
  }
}

/** Every file below the printer's folder, with those of the known card numbers that its text bears. */
async function readPages(printer: string, numbers: ReadonlySet<string>): Promise<Page[]> {
  const pages: Page[] = [];
  const read = async (folder: string, place: Page["place"]) => {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        await read(path, place === "printer" && entry.name === "spoiled" ? "spoiled" : "elsewhere");
        continue;
      }
      const isPage = entry.name.endsWith(".pdf");
      const words = isPage ? await textOf(readFileSync(path)) : "";
      const cardNumbers = [...numbers].filter((number) => words.includes(number));
      pages.push({
        place: isPage ? place : "elsewhere",
        file: entry.name,
        blank: parsePath(entry.name).name,
        cardNumbers,
      });
    }
  };
  await read(printer, "printer");
  return pages;
}

/** The text of both faces without any space: printed numbers are set in groups. */
async function textOf(pdf: Buffer): Promise<string> {
  const loading = getDocument({ data: new Uint8Array(pdf), verbosity: VerbosityLevel.ERRORS });
  try {
    const document = await loading.promise;
    const faces: string[] = [];
    for (let page = 1; page <= document.numPages; page += 1) {
      const { items } = await (await document.getPage(page)).getTextContent();
      faces.push(items.map((item) => ("str" in item ? item.str : "")).join(""));
    }
    return faces.join("|").replaceAll(/\s/g, "");
  } catch {
    return "";
  } finally {
    await loading.destroy();
  }
}

async function verifyQuietly({ home, verifierKey }: { home: Home; verifierKey: string }) {
  try {
    const { verified } = await verifyLedger({ place: home.tiles, openings: home.openings, verifierKey });
    return { verified, words: verified ? "" : "the verifier says no" };
  } catch (error) {
    return { verified: false, words: error instanceof Error ? error.message : String(error) };
  }
}
