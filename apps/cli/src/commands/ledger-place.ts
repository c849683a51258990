import { existsSync } from "node:fs";
import { createHttpReader, LedgerError, type LogReader } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { CliError } from "../cli-error.ts";

/** Reads a log from a folder or a URL. Throws CliError `bad-input` where it can be neither. */
export function openLog(place: string): LogReader {
  if (place.includes("://")) {
    try {
      return createHttpReader(place);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      throw new CliError("bad-input", `${place} is no URL of a log.`, "It is what stands before /checkpoint.");
    }
  }
  if (!existsSync(place)) {
    throw new CliError("bad-input", `There is no folder ${place}.`, "Name the folder with checkpoint and tile/.");
  }
  return createFolderStorage(place);
}
