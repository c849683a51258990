import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const CHUNK = 1 << 22;
/** Shorter words come up by chance in megabytes of ciphertext, or are words of the programs. */
const SHORTEST_BINARY = 6;
const NAME_HEADERS = ["Forename(s)", "Surname", "Known As"];
const NUMBER_HEADERS = ["Pay No", "Warrant No", "Collar No", "NI Number", "Mobile"];
const PLACE_HEADERS = ["Home Addr Line 1", "Postcode"];

export type KnownValue = { readonly text: string; readonly what: string; readonly row: number };
export type Sighting = { readonly file: string; readonly what: string; readonly row: number; readonly near: string };

/** Every name, number and address of the extract that was imported. */
export function readKnownValues(extract: string): KnownValue[] {
  const [header = [], ...rows] = parseCsv(readFileSync(extract, "utf8").replace(/^\uFEFF/, ""));
  return rows.flatMap((cells, row) => {
    const cell = (name: string) => (cells[header.indexOf(name)] ?? "").trim();
    const full = `${cell("Forename(s)")} ${cell("Surname")}`;
    return [
      ...NAME_HEADERS.map((name) => ({ text: cell(name), what: name, row })),
      ...NUMBER_HEADERS.map((name) => ({ text: cell(name), what: name, row })),
      ...PLACE_HEADERS.map((name) => ({ text: cell(name), what: name, row })),
      { text: full.length > SHORTEST_BINARY ? full : "", what: "full name", row },
    ].filter(({ text }) => text.length >= 3);
  });
}

/** Where a log, read as text, holds one of the values as a whole word. */
export function searchText(files: readonly string[], root: string, known: readonly KnownValue[]): Sighting[] {
  return files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return known.flatMap((value) => {
      const at = indexOfWord(text, value.text);
      return at < 0 ? [] : [sighting({ file, root, value, near: text.slice(Math.max(0, at - 80), at + 40) })];
    });
  });
}

/** Where a file, whatever it is, holds the bytes of one of the values. Short values are left out: they meet by chance. */
export function searchBytes(files: readonly string[], root: string, known: readonly KnownValue[]): Sighting[] {
  const searched = known.filter(({ text }) => Buffer.byteLength(text) >= SHORTEST_BINARY);
  return files.flatMap((file) => {
    const bytes = readFileSync(file);
    return searched.flatMap((value) =>
      holdsBytes(bytes, value.text) ? [sighting({ file, root, value, near: `a file of ${bytes.length} bytes` })] : [],
    );
  });
}

/** Digits inside a digest, a UUID or a size of our own formats are nobody's number. */
function holdsBytes(bytes: Buffer, text: string): boolean {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    if (!/^\d+$/.test(text)) return true;
    const before = bytes.toString("latin1", Math.max(0, at - 16), at);
    const after = bytes.toString("latin1", at + Buffer.byteLength(text), at + Buffer.byteLength(text) + 1);
    if (!/[\w.+/-]$|"(?:offset|length)":$/.test(before) && !/^[\w.+/-]/.test(after)) return true;
  }
  return false;
}

/** Regular files below the folders; sockets and links are no stores. */
export function filesBelow(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const entry = lstatSync(path, { throwIfNoEntry: false });
      if (entry?.isDirectory()) return filesBelow(path);
      return entry?.isFile() && entry.size < CHUNK * 64 ? [path] : [];
    }),
  );
}

type Found = { file: string; root: string; value: KnownValue; near: string };
const sighting = ({ file, root, value, near }: Found): Sighting => ({
  file: relative(root, file),
  what: value.what,
  row: value.row,
  near,
});

const isWordCharacter = (character: string) => /[\p{L}\p{N}]/u.test(character);

/** Does the text hold this value as a word of its own? */
export const holdsWord = (text: string, word: string): boolean => indexOfWord(text, word) >= 0;

function indexOfWord(text: string, word: string): number {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before, after] = [text[at - 1] ?? " ", text[at + word.length] ?? " "];
    const isPartOfNumber = /\d/.test(word) && (before === "." || before === "-" || after === "-");
    if (!isWordCharacter(before) && !isWordCharacter(after) && !isPartOfNumber) return at;
  }
  return -1;
}

/** RFC 4180, so that this search does not trust the parser that the import trusts. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ",") {
      row.push(cell);
      cell = "";
    } else if (character === "\n") {
      rows.push([...row, cell.replace(/\r$/, "")]);
      row = [];
      cell = "";
    } else cell += character;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  return rows;
}
