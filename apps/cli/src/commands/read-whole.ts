import { readFileSync, statSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/** Reads a plain file of somebody else's, no longer than such a file can be. Throws CliError `bad-input`. */
export function readWhole(file: string, maxBytes: number): Uint8Array {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new CliError("bad-input", `There is no file ${file}.`, "Name another one.");
  if (found.size > maxBytes) {
    throw new CliError("bad-input", `${file} is longer than ${maxBytes} bytes.`, "Name another one.");
  }
  return readFileSync(file);
}
