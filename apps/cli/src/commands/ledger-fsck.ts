import { parseVerifierKey } from "@tipstaff/ledger";
import { type FsckFault, type FsckVerdict, fsckLog } from "@tipstaff/ledger/postgres";
import type { Command } from "commander";
import { createProgress } from "../progress.ts";
import { contextOf } from "./context.ts";
import { withLedger } from "./ledger-database.ts";

export function registerLedgerFsck(ledger: Command): void {
  ledger
    .command("fsck")
    .description(
      "database, tiles, openings and checkpoint against each other; exit 1 and the first place that does not fit",
    )
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const verdict = await withLedger(context, ({ logVerifierKey, ...log }) =>
        createProgress(process.stderr).step("Comparing", (report) =>
          fsckLog({
            ...log,
            verifierKeys: [parseVerifierKey(logVerifierKey)],
            onProgress: ({ entries, of }) => report(entries, of),
          }),
        ),
      );
      context.answer(verdict, fsckWords(verdict));
      if (!verdict.ok) process.exitCode = 1;
    });
}

export function fsckWords(verdict: FsckVerdict): string {
  if (!verdict.ok) return verdict.faults.map(faultWords).join("\n");
  const { size, published, waiting } = verdict;
  return `Database and folders fit: ${size} entries, ${published} of them published, ${waiting} waiting.`;
}

function faultWords(fault: FsckFault): string {
  if (fault.place === "folder") {
    const { kind, path, index, bytes, message } = fault;
    const region = bytes ? `bytes ${bytes.from}–${bytes.to}` : "";
    const where = [path, index === undefined ? "" : `entry ${index}`, region].filter(Boolean).join(", ");
    return `DOES NOT FIT, in the folder (${kind}): ${where}: ${message}`;
  }
  const { table, column, index, byte, message } = fault;
  const where = [
    column === undefined ? `ledger.${table}` : `ledger.${table}.${column}`,
    index === undefined ? "" : `entry ${index}`,
    byte === undefined ? "" : `byte ${byte}`,
  ];
  return `DOES NOT FIT, in the database: ${where.filter(Boolean).join(", ")}: ${message}`;
}
