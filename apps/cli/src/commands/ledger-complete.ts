import { type CompletenessFault, LedgerError } from "@tipstaff/ledger";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";
import { openLog } from "./ledger-place.ts";
import { checkHistory, type PersonHistoryFile, readHistoryFile } from "./person-history-file.ts";

type Options = { log?: string; key?: string };

/** What a history says, and whether anything is missing from it. */
export type CompletenessResult = {
  readonly complete: boolean;
  readonly origin: string;
  readonly size: number;
  /** Without a log a duplicate, a withheld census, or entries after the last census cannot show. */
  readonly against: "log" | "file";
  readonly censuses: number;
  /** The last census that vouches for the list. */
  readonly censusSeq: number | null;
  readonly entries: readonly { readonly n: number; readonly index: number; readonly fields: Record<string, string> }[];
  readonly faults: readonly (CompletenessFault | { readonly kind: "checkpoint-refused" | "other-log" })[];
};

export function registerLedgerComplete(ledger: Command): void {
  ledger
    .command("complete <file>")
    .description("one person's history, held against the log: exit 1 unless every entry is there")
    .option("--log <path|url>", "the log; without one, the history's own proofs alone")
    .option("--key <key>", "the log's verifier key; the installation's own when left out")
    .action(async (file: string, { log, key }: Options, command: Command) => {
      const context = contextOf(command);
      const result = await judgeHistory(readHistoryFile(file), {
        log,
        verifierKey: key ?? context.settings().logVerifierKey,
      });
      context.answer(result, toWords(result));
      if (!result.complete) process.exitCode = 1;
    });
}

async function judgeHistory(
  file: PersonHistoryFile,
  { log, verifierKey }: { log: string | undefined; verifierKey: string },
): Promise<CompletenessResult> {
  const against = log === undefined ? "file" : "log";
  const { origin, censuses } = file;
  const checked = await withWords(() =>
    checkHistory(file, { log: log === undefined ? undefined : openLog(log), verifierKey }),
  );
  const head = { origin, against, censuses: censuses.length } as const;
  if (!checked.ok) {
    return { ...head, complete: false, size: 0, censusSeq: null, entries: [], faults: [{ kind: checked.reason }] };
  }
  const { history, size } = checked;
  const entries = history.entries.map(({ n, index, opened }) => ({ n, index, fields: toFields(opened?.fields) }));
  const { complete, faults, censusSeq } = history;
  return { ...head, complete, size, censusSeq: censusSeq ?? null, entries, faults };
}

const toFields = (fields: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));

async function withWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new CliError("bad-input", error.message, "Is it the right log, key and file? Run ledger verify on the log.");
  }
}

function toWords({ complete, origin, size, against, censusSeq, entries, faults }: CompletenessResult): string {
  const rows = entries.map(
    ({ n, index, fields }) => `  ${n}. ${fields.at ?? "?"} ${fields.kind ?? "unreadable"} (entry ${index})`,
  );
  const findings = faults.map((fault) => `  NOT COMPLETE: ${faultWords(fault)}`);
  const vouching =
    censusSeq === null ? ["  NOT COMPLETE: no census vouches for the list yet: its end may be missing"] : [];
  const caveat =
    against === "file"
      ? ["Checked against its own proofs alone; with --log, also that no entry and no census beyond it was kept back."]
      : [];
  const verdict = complete
    ? [`COMPLETE: nothing is missing up to census ${censusSeq}.`]
    : [
        ...findings,
        ...(faults.some(({ kind }) => kind === "checkpoint-refused" || kind === "other-log") ? [] : vouching),
      ];
  return [
    `${origin}: ${entries.length} entries about this person, in a log of ${size}`,
    ...rows,
    ...verdict,
    ...caveat,
  ].join("\n");
}

/** A fault in plain words. */
export function faultWords(fault: CompletenessResult["faults"][number]): string {
  switch (fault.kind) {
    case "checkpoint-refused":
      return "the checkpoint in the file is not signed by this log's key";
    case "other-log":
      return "the log is not the one that the file's checkpoint was signed for";
    case "gap":
      return `the person's entry ${fault.n} is missing, though later ones are there`;
    case "duplicate":
      return `the person's entry ${fault.n} stands at several places: ${fault.indices.join(", ")}`;
    case "not-included":
      return `entry ${fault.index} does not stand at that place in the signed log`;
    case "openings-missing":
      return `the openings of the person's entry ${fault.n} (entry ${fault.index}) are missing`;
    case "openings-changed":
      return `the openings of the person's entry ${fault.n} (entry ${fault.index}) were changed; SHA-256 of the true ones: ${fault.digest}`;
    case "unreadable":
      return `the person's entry ${fault.n} (entry ${fault.index}) does not open with this audit key, or is not what it committed to`;
    case "other-subject":
      return `the person's entry ${fault.n} (entry ${fault.index}) is about somebody else`;
    case "tail-dropped":
      return `census ${fault.seq} counts the person's entry ${fault.n}, and it does not stand before that census`;
    case "census-missing":
      return `census ${fault.seq} is missing from the file`;
    case "census-withheld":
      return `census ${fault.seq} stands in the log (entry ${fault.index}), and was not handed out`;
    case "census-differs":
      return `census ${fault.seq} does not say what the file says it does`;
    case "left-out":
      return `census ${fault.seq} leaves this person out`;
    case "count-fell":
      return `census ${fault.seq} counts fewer entries than the one before`;
  }
}
