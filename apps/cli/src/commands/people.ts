import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { demandDatabase, demandKeyholder } from "../services/demand-running.ts";
import { runApp } from "../services/processes.ts";
import { toPersonText } from "./answer-texts.ts";
import { contextOf } from "./context.ts";
import { registerPeopleHistory } from "./people-history.ts";

const PASSED_ON = ["photos", "mapping", "maxLeavers", "maxErrors", "errors"] as const;
const FLAGS = ["dryRun", "allowLeavers"] as const;
const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function registerPeople(program: Command): void {
  const people = program.command("people").description("the register: import, find, show, history, erase");
  people
    .command("import <file>")
    .description("import an HR extract (CSV or XLSX)")
    .option("--photos <path>", "folder or ZIP archive of portraits, named by number")
    .option("--mapping <file>", "which column is what; without it headers are recognised")
    .option("--dry-run", "show the mapping and what would change; change nothing")
    .option("--max-leavers <share>", "stop when more than this share of people would leave (0 to 1)")
    .option("--allow-leavers", "go on although many would leave")
    .option("--max-errors <n>", "print at most so many errors")
    .option("--errors <file>", "where all errors go")
    .action(async (file: string, options: Record<string, unknown>, command: Command) => {
      const context = contextOf(command);
      context.settings();
      await demandDatabase(context.home);
      await demandKeyholder(context.home);
      const valued = PASSED_ON.filter((name) => options[name] !== undefined);
      const args = [
        ...["import", file, "--config", context.home.deskConfig],
        ...["--token-file", context.tokenFile("hr.clerk")],
        ...valued.flatMap((name) => [`--${kebab(name)}`, String(options[name])]),
        ...FLAGS.filter((name) => options[name]).map((name) => `--${kebab(name)}`),
        ...(context.json ? ["--json"] : []),
      ];
      const { code, stdout, stderr } = await runApp("desk", args, { progress: !context.json });
      process.stdout.write(stdout);
      process.exitCode = code;
      // Asked for JSON, whoever reads it gets some also where nothing was imported.
      if (context.json && stdout === "") throw importFailed(stderr);
    });
  people
    .command("show <person>")
    .description("one person of the register, by id; the reading stands on the ledger")
    .action(async (person: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.desk("cards.clerk").get(`/api/people/${encodeURIComponent(person)}`));
    });
  people
    .command("find <number>")
    .description("the id of whoever has this pay or warrant number; the reading stands on the ledger")
    .action(async (number: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      const found = await context.desk("cards.clerk").post("/api/people/find", { number });
      context.answer(found, toPersonText(found));
    });
  registerPeopleHistory(people);
  people
    .command("erase <person>")
    .description("destroy a person's keys: nothing about that person can be read again")
    .option("--yes", "really")
    .action(async (person: string, options: { yes?: boolean }, command: Command) => {
      if (!options.yes) throw new CliError("bad-input", "Erasing cannot be undone.", "Say --yes if you mean it.");
      const context = contextOf(command);
      context.answer(await context.desk("security.one").post(`/api/people/${encodeURIComponent(person)}/erase`, {}));
    });
}

/** The importer's own words, without its name and colours. */
function importFailed(stderr: string): CliError {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("{"));
  const [first = "desk: the import failed", ...rest] = lines;
  return new CliError("failed", first.replace(/^desk: /, ""), rest.map((line) => line.trim()).join(" "));
}
