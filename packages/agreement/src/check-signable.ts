import type { Fault } from "./faults.ts";
import { MAX_FILE_BYTES } from "./read-yaml.ts";
import { decodeUtf8 } from "./utf8.ts";

const MAX_FAULTS = 100;

/**
 * Why nobody can sign these bytes, line by line (at most 100); empty when they can be signed. A signature covers the
 * file as a note's text (C2SP signed-note): UTF-8, no control character but the newline, and a newline at the end. So a
 * file may be a faultless agreement and still not be signable, as one whose lines end with CR LF.
 */
export const checkSignable = (bytes: Uint8Array, { fileName }: { readonly fileName: string }): readonly Fault[] => {
  const at = (line: number, expected: string, found: string): Fault => ({
    file: fileName,
    line,
    key: "",
    expected,
    found,
  });
  if (bytes.length > MAX_FILE_BYTES) return [at(1, `at most ${MAX_FILE_BYTES} bytes`, "more")];
  const text = decodeUtf8(bytes);
  if (text === undefined) return [at(1, "UTF-8 text", "other bytes")];
  const lines = text.split("\n");
  const faults = lines.flatMap((line, index) => {
    const found = findControl(line);
    return found === undefined ? [] : [at(index + 1, "a line without control characters, ended by LF alone", found)];
  });
  if (!text.endsWith("\n")) faults.push(at(lines.length, "a newline at the end of the file", "none"));
  return faults.slice(0, MAX_FAULTS);
};

const findControl = (line: string): string | undefined => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: signed-note forbids them in the text.
  const [character] = /[\u0000-\u001F]/.exec(line) ?? [];
  if (character === undefined) return undefined;
  if (character === "\t") return "a tab";
  return character === "\r" ? "a carriage return (CR)" : "a control character";
};
