import { readFileSync, writeFileSync } from "node:fs";
import { diffAgreements, explainAgreement, formatFault, parseAgreement } from "@tipstaff/agreement";
import type { Command } from "commander";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";

const lineSchema = z.looseObject({ line: z.string() });

export function registerAgreement(program: Command): void {
  const agreement = program.command("agreement").description("what a recipient may hold");
  agreement
    .command("check <file>")
    .description("read the file and name every fault")
    .action((file: string, _options: unknown, command: Command) => {
      const { id, version } = readAgreement(file);
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
      readAgreement(file);
      const context = contextOf(command);
      const bytes = readFileSync(file).toString("base64url");
      const { line } = lineSchema.parse(await context.console().post("/agreements/sign", { bytes }));
      writeFileSync(`${file}.sig`, `${line.trimEnd()}\n`, { flag: "a" });
      context.answer({ signed: `${file}.sig` }, `signed: ${file}.sig`);
    });
  agreement
    .command("activate <file>")
    .description("put a signed agreement in force; widening takes a second person (--as)")
    .action(async (file: string, _options: unknown, command: Command) => {
      const context = contextOf(command);
      const body = { bytes: readFileSync(file).toString("base64url"), signatures: readFileSync(`${file}.sig`, "utf8") };
      context.answer(await context.desk("security.one").post("/api/agreements/activate", body));
    });
}

function readAgreement(file: string) {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new CliError("bad-input", `${file} cannot be read.`, "Is the path right?");
  }
  const parsed = parseAgreement(bytes, { fileName: file });
  if (!parsed.ok) {
    throw new CliError("bad-input", `${file} is no agreement:\n${parsed.faults.map(formatFault).join("\n")}`, "");
  }
  return parsed.agreement;
}
