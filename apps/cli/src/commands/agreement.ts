import { existsSync, writeFileSync } from "node:fs";
import {
  checkSignable,
  diffAgreements,
  explainAgreement,
  type Fault,
  formatFault,
  parseAgreement,
} from "@tipstaff/agreement";
import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { addSignature } from "./add-signature.ts";
import { contextOf } from "./context.ts";
import { readNamed, readSigned } from "./signed-file.ts";

const lineSchema = z.looseObject({ line: z.string() });

export function registerAgreement(program: Command): void {
  const agreement = program.command("agreement").description("what a recipient may hold");
  agreement
    .command("check <file>")
    .description("read the file and name every fault, also those for which nobody could sign it")
    .action((file: string, _options: unknown, command: Command) => {
      const { id, version } = readSignable(file);
      contextOf(command).answer({ ok: true, id, version }, `${file}: agreement ${id}, version ${version}, no faults`);
    });
  agreement
    .command("explain <file>")
    .description("the agreement in plain English")
    .action((file: string, _options: unknown, command: Command) => {
      const text = explainAgreement(readAgreement(file));
      contextOf(command).answer({ text }, text);
    });
  agreement
    .command("diff <before> <after>")
    .description("what changes, and whether it narrows or widens; exit 1 when it widens")
    .action((before: string, after: string, _options: unknown, command: Command) => {
      const diff = diffAgreements(readAgreement(before), readAgreement(after));
      const lines = diff.changes.map((change) => `${change.effect}: ${change.words}`);
      contextOf(command).answer(
        diff,
        [...lines, `${diff.verdict}: ${diff.signaturesNeeded} person(s) must sign`].join("\n"),
      );
      if (diff.verdict === "widens") process.exitCode = 1;
    });
  agreement
    .command("sign <file>")
    .description("sign for the controller at the keyholder's console; adds a line to FILE.sig")
    .action(async (file: string, _options: unknown, command: Command) => {
      await sign(file, command);
    });
  agreement
    .command("activate <file>")
    .description("put a signed agreement in force; widening takes a second person (--as)")
    .action(async (file: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      context.answer(await context.desk("security.one").post("/api/agreements/activate", readSigned(file)));
    });
}

async function sign(file: string, command: Command): Promise<void> {
  readSignable(file);
  const context = contextOf(command);
  const bytes = readNamed(file).toString("base64url");
  const { line } = lineSchema.parse(await context.console().post("/agreements/sign", { bytes }));
  const signed = `${file}.sig`;
  const before = existsSync(signed) ? readNamed(signed).toString("utf8") : "";
  const { content, outcome } = addSignature(before, line);
  if (outcome !== "stood there") writeFileSync(signed, content);
  const words = {
    added: `signed: ${signed}`,
    "stood there": `signed already: ${signed}`,
    replaced: `signed: ${signed}; the force's earlier signature there, over another text, gave way`,
  };
  context.answer({ signed, outcome }, words[outcome]);
}

/** The agreement of a file that can be signed too. */
function readSignable(file: string) {
  const bytes = readNamed(file);
  const unsignable = checkSignable(bytes, { fileName: file });
  const parsed = parseAgreement(bytes, { fileName: file });
  const faults = [...unsignable, ...(parsed.ok ? [] : parsed.faults)];
  if (!parsed.ok || faults.length > 0) throw faulty(file, faults);
  return parsed.agreement;
}

function readAgreement(file: string) {
  const parsed = parseAgreement(readNamed(file), { fileName: file });
  if (!parsed.ok) throw faulty(file, parsed.faults);
  return parsed.agreement;
}

/** Each fault as a line for people, and in its parts for programs. */
function faulty(file: string, faults: readonly Fault[]): CliError {
  const told = [...new Map(faults.map((fault) => [formatFault(fault), fault])).entries()];
  const facts = { faults: told.map(([, { line, key, expected, found }]) => ({ line, key, expected, found })) };
  const words = `${file} is no agreement that can be signed:\n${told.map(([line]) => line).join("\n")}`;
  return new CliError("bad-input", words, "", facts);
}
