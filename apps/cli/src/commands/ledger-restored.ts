import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";

const placeSchema = z.object({ index: z.int(), operation: z.string() });
const releaseSchema = placeSchema.extend({
  ...{ recipient: z.string(), order: z.string(), job: z.string(), at: z.string() },
  attempt: z.int(),
});
const rebuiltSchema = z.object({
  ...{ releases: z.int(), jobs: z.int(), receipts: z.int(), scanned: z.int(), cards: z.int(), lines: z.int() },
  ...{ approvals: z.int(), runsClosed: z.int(), holdsPlaced: z.int(), holdsLifted: z.int() },
  ...{ erased: z.int(), disclosures: z.int() },
  ...{ stubs: z.array(z.string()), unplaced: z.array(placeSchema), uncounted: z.array(z.string()) },
  notRebuilt: z.record(z.string(), z.int()),
});
const reportSchema = z.object({
  ...{ id: z.string(), at: z.string(), fromSize: z.int(), toSize: z.int(), entries: z.int() },
  released: z.array(releaseSchema),
  undecided: z.array(releaseSchema),
  unopened: z.array(placeSchema.extend({ released: z.boolean() })),
  counts: z.object({ raised: z.int(), withoutKeys: z.array(z.string()) }),
  rebuilt: rebuiltSchema,
});
type Report = z.infer<typeof reportSchema>;

/** Two restores have one number where the same old backup was put back twice. */
const NAME = /^restore-([1-9][0-9]*(?:-(?:[2-9]|[1-9][0-9]+))?)\.json$/;

export function registerLedgerRestored(ledger: Command): void {
  ledger
    .command("restored [restore]")
    .description(
      "what the desk found and rebuilt after a restore: releases, jobs, receipts, lines, and what does not come back",
    )
    .action((restore: string | undefined, _options: object, command: Command) => {
      const context = contextOf(command);
      const report = readReport(context.home.reports, restore);
      context.answer(report, restoredWords(report));
    });
}

/** The report of that restore, or of the last one. */
function readReport(folder: string, restore: string | undefined): Report {
  const known = (existsSync(folder) ? readdirSync(folder) : []).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  const read = (id: string): Report =>
    reportSchema.parse(JSON.parse(readFileSync(join(folder, `restore-${id}.json`), "utf8")));
  const reports = known.filter((id) => restore === undefined || id === restore).map(read);
  const [last] = reports.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  if (last === undefined) {
    const words = restore === undefined ? "No restore was reported." : `Restore ${restore} was not reported.`;
    throw new CliError("failed", words, "The desk writes the report when it first starts after ledger rebuild.");
  }
  return last;
}

export function restoredWords({ id, at, fromSize, toSize, counts, rebuilt, ...found }: Report): string {
  const { released, undecided, unopened } = found;
  return [
    `Restore ${id}, ${at}: entries ${fromSize} to ${toSize - 1} came back from the folder.`,
    ...rebuiltWords(rebuilt),
    ...section(`${released.length} releases that the database had forgotten`, released.map(releaseWords)),
    ...section(
      `${undecided.length} releases that the keyholder had not decided, cancelled by it since`,
      undecided.map(releaseWords),
    ),
    ...section(
      `${unopened.length} entries that cannot be opened, each a possible exposure`,
      unopened.map((entry) => `entry ${entry.index}${entry.released ? ", released" : ""}`),
    ),
    `${counts.raised} people's counts of entries were raised to the log's.`,
    ...section(`${counts.withoutKeys.length} people of the register have no keys any more`, counts.withoutKeys),
  ].join("\n");
}

/** First what is as it was, then what people must know of the rest. */
function rebuiltWords(rebuilt: Report["rebuilt"]): string[] {
  const { releases, jobs, receipts, scanned, cards, lines, stubs, unplaced, uncounted, notRebuilt } = rebuilt;
  const { approvals, runsClosed, holdsPlaced, holdsLifted, erased, disclosures } = rebuilt;
  return [
    `Rebuilt from the log: ${releases} releases, ${receipts} receipts, ${scanned} cards scanned in; ${jobs} jobs moved, ${cards} cards changed, ${lines} lines' chains set.`,
    `What people had decided: ${runsClosed} runs closed, ${approvals} attempts approved, ${holdsPlaced} holds placed, ${holdsLifted} lifted, ${erased} people erased, ${disclosures} disclosures declared.`,
    ...section(`${stubs.length} jobs that the register does not know, counted and never released again`, stubs),
    ...section(
      `${unplaced.length} releases whose line nobody knows; such a line stops at its next request`,
      unplaced.map(({ index }) => `entry ${index}`),
    ),
    ...section(
      `${uncounted.length} jobs whose receipt the keyholder has not counted, and must be sent again`,
      uncounted,
    ),
    ...section(
      `${Object.values(notRebuilt).reduce((sum, count) => sum + count, 0)} entries of which nothing comes back by itself`,
      Object.entries(notRebuilt).map(([kind, count]) => `${count} ${kind}`),
    ),
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [`${title}.`] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

const releaseWords = ({ index, recipient, job, attempt, at }: z.infer<typeof releaseSchema>): string =>
  `job ${job}, attempt ${attempt}, to ${recipient}, ${at} (entry ${index})`;
