import { LedgerError } from "@tipstaff/ledger";
import { CommanderError } from "commander";
import { CliError, START_IT } from "./cli-error.ts";

export type Explained = {
  readonly message: string;
  readonly advice: string;
  readonly exitCode: number;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Nobody foresaw it: its stack is of use to whoever mends it. */
  readonly isDefect: boolean;
};

const UNREAD = "The rest was not looked at. Make that file readable, or take a new copy of the log, and ask again.";
const HELP = "tipstaff --help shows every command.";
const UNREACHABLE = ["keyholder-unreachable", "keyholder-timeout"];

/** What an error means to whoever typed the command; undefined where nothing went wrong, as after --help. */
export function explainError(error: unknown): Explained | undefined {
  const plain = { exitCode: 2, facts: {}, isDefect: false };
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const isBare = error.code === "commander.help";
    const message = isBare ? "A command is missing." : error.message.replace(/^error: /, "");
    return { ...plain, message, advice: HELP };
  }
  if (error instanceof CliError) {
    const { message, advice, exitCode, facts } = error;
    return { ...plain, message, advice, exitCode, facts };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LedgerError && error.code === "storage-failed") return { ...plain, message, advice: UNREAD };
  return (
    explainSystem(error) ?? {
      ...{ ...plain, message, isDefect: true },
      advice: "This is a defect, please report it with what you typed.",
    }
  );
}

/** What the operating system refuses, and what does not listen, is no defect of ours. */
function explainSystem(error: unknown): Explained | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  const plain = { exitCode: 2, facts: {}, isDefect: false };
  if (UNREACHABLE.includes(error.code)) return { ...plain, message: error.message, advice: START_IT };
  if (!/^E[A-Z0-9]+$/.test(error.code) || !("syscall" in error)) return undefined;
  if (error.syscall === "connect") return { ...plain, message: `Nothing answers (${error.code}).`, advice: START_IT };
  if (!("path" in error) || typeof error.path !== "string") return undefined;
  const verb = error.code === "EEXIST" || error.code === "ENOSPC" || error.code === "EROFS" ? "written" : "read";
  const advice = "Is the path right, and is it yours to use?";
  return { ...plain, message: `${error.path} cannot be ${verb} (${error.code}).`, advice };
}
