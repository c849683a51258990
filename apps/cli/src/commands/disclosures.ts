import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";

type Options = {
  recipient: string;
  from: string;
  to?: string;
  categories: string;
  people: string;
  reason: string;
  dryRun?: boolean;
};

const declaredSchema = z.looseObject({
  recipient: z.string(),
  declared: z.int(),
  already: z.int(),
  unknown: z.int(),
  unknownLines: z.array(z.int()),
  ambiguousLines: z.array(z.int()),
  dryRun: z.boolean(),
});

export function registerDisclosures(program: Command): void {
  const disclosures = program
    .command("disclosures")
    .description("what a recipient was given before this log, or outside it: declared, unproven");
  disclosures
    .command("declare")
    .description("put it on the ledger, one entry a person; the same list again changes nothing")
    .requiredOption("--recipient <id>")
    .requiredOption("--from <instant>", "since when the recipient had it (ISO 8601)")
    .option("--to <instant>", "until when, by its own word; left out where it has not ended")
    .requiredOption("--categories <names>", "such as name,portrait,rank")
    .requiredOption("--people <file>", "CSV whose first column is a warrant or pay number; one person a line")
    .requiredOption("--reason <text>", "how this is known; stands on the ledger, so no names")
    .option("--dry-run", "say what would be declared; declare nothing")
    .action(async (options: Options, command: Command) => {
      const context = contextOf(command);
      const { recipient, from, to, reason, dryRun = false } = options;
      const categories = options.categories.split(",").flatMap((name) => name.trim() || []);
      const body = { recipient, from, ...(to ? { to } : {}), categories, reason, dryRun };
      const lines = readFirstColumn(options.people);
      const answer = await context.desk("security.one").post("/api/disclosures", { ...body, lines });
      const declared = declaredSchema.parse(answer);
      context.answer(answer, toText(declared));
      if (declared.unknown > 0 || declared.ambiguousLines.length > 0) process.exitCode = 1;
    });
  disclosures
    .command("list")
    .option("--recipient <id>")
    .action(async (options: { recipient?: string }, command: Command) => {
      const context = contextOf(command);
      const query = options.recipient === undefined ? "" : `?${new URLSearchParams({ recipient: options.recipient })}`;
      context.answer(await context.desk("security.one").get(`/api/disclosures${query}`));
    });
}

/** What stands in further columns stays here. */
function readFirstColumn(file: string): string[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch {
    throw new CliError("bad-input", `${file} cannot be read as UTF-8 text.`, "Is the path right?");
  }
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((line) => (line.split(/[,;\t]/)[0] ?? "").trim().replace(/^"(.*)"$/, "$1"));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

const MOST_LINES_NAMED = 50;

function toText({ recipient, declared, already, unknown, ...given }: z.infer<typeof declaredSchema>): string {
  const named = (lines: readonly number[]) =>
    lines.slice(0, MOST_LINES_NAMED).join(", ") + (lines.length > MOST_LINES_NAMED ? ", …" : "");
  return [
    ...(given.dryRun ? ["Nothing was declared: a dry run."] : []),
    `${declared} people ${given.dryRun ? "would be " : ""}declared for ${recipient}; ${already} stood there before`,
    ...(unknown > 0 ? [`${unknown} numbers are nobody's in the register: lines ${named(given.unknownLines)}`] : []),
    ...(given.ambiguousLines.length > 0
      ? [`Two people's, one's pay and another's warrant number: lines ${named(given.ambiguousLines)}`]
      : []),
  ].join("\n");
}
