import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/** A file that was named on the command line. Throws CliError `bad-input`. */
export function readNamed(file: string, advice = "Is the path right?"): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new CliError("bad-input", `${file} cannot be read${code}.`, advice);
  }
}

/** An agreement and the signatures that stand beside it, as the APIs take them. Throws CliError `bad-input`. */
export function readSigned(file: string): { bytes: string; signatures: string } {
  const bytes = readNamed(file).toString("base64url");
  const advice = `It holds both parties' signatures: tipstaff agreement sign ${file} adds the force's line, the recipient adds its own.`;
  return { bytes, signatures: readNamed(`${file}.sig`, advice).toString("utf8") };
}
