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
const reportSchema = z.object({
  ...{ id: z.string(), at: z.string(), fromSize: z.int(), toSize: z.int(), entries: z.int() },
  released: z.array(releaseSchema),
  undecided: z.array(releaseSchema),
  unopened: z.array(placeSchema.extend({ released: z.boolean() })),
  counts: z.object({ raised: z.int(), withoutKeys: z.array(z.string()) }),
});
type Report = z.infer<typeof reportSchema>;

const NAME = /^restore-([1-9][0-9]*)\.json$/;

export function registerLedgerRestored(ledger: Command): void {
  ledger
    .command("restored [restore]")
    .description(
      "what the desk found after a restore: forgotten releases, entries that cannot be opened, counts raised",
    )
    .action((restore: string | undefined, _options: object, command: Command) => {
      const context = contextOf(command);
      const report = readReport(context.home.reports, restore);
      context.answer(report, restoredWords(report));
    });
}

/** The report of that restore, or of the last one. */
function readReport(folder: string, restore: string | undefined): Report {
  const known = (existsSync(folder) ? readdirSync(folder) : [])
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b));
  const id = restore === undefined ? known.at(-1) : known.find((one) => one === restore);
  if (id === undefined) {
    const words = restore === undefined ? "No restore was reported." : `Restore ${restore} was not reported.`;
    throw new CliError("failed", words, "The desk writes the report when it first starts after ledger rebuild.");
  }
  return reportSchema.parse(JSON.parse(readFileSync(join(folder, `restore-${id}.json`), "utf8")));
}

export function restoredWords({ id, at, fromSize, toSize, counts, ...found }: Report): string {
  const { released, undecided, unopened } = found;
  return [
    `Restore ${id}, ${at}: entries ${fromSize} to ${toSize - 1} came back from the folder.`,
    ...section(`${released.length} releases that the database had forgotten`, released.map(releaseWords)),
    ...section(`${undecided.length} releases of which the keyholder keeps no decision`, undecided.map(releaseWords)),
    ...section(
      `${unopened.length} entries that cannot be opened, each a possible exposure`,
      unopened.map((entry) => `entry ${entry.index}${entry.released ? ", released" : ""}`),
    ),
    `${counts.raised} people's counts of entries were raised to the log's.`,
    ...section(`${counts.withoutKeys.length} people of the register have no keys any more`, counts.withoutKeys),
  ].join("\n");
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [`${title}.`] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

const releaseWords = ({ index, recipient, job, attempt, at }: z.infer<typeof releaseSchema>): string =>
  `job ${job}, attempt ${attempt}, to ${recipient}, ${at} (entry ${index})`;
