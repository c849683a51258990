import { readFileSync, statSync } from "node:fs";
import { BureauError } from "../bureau-error.ts";

/** The trimmed text of a file that its owner alone can read; throws `exposed-key`, or `damaged` when it is not there. */
export function readSecret(file: string): string {
  let mode: number;
  let text: string;
  try {
    mode = statSync(file).mode;
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const words = code === "ENOENT" ? `${file} is gone` : `${file} cannot be read (${code})`;
    throw new BureauError("damaged", `${words}. Restore it from a backup`, { cause });
  }
  if ((mode & 0o077) === 0) return text;
  throw new BureauError("exposed-key", `${file} can be read by others than its owner. Make new keys, then chmod 600`);
}
