import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

/** Invented people for tests; every value is recognisable in a log. */
export type ExamplePerson = {
  readonly pay: string;
  readonly warrant: string;
  readonly forenames: string;
  readonly surname: string;
  readonly rank: string;
  readonly sensitivity: string;
  readonly address: string;
  readonly salary: string;
};

export const EXAMPLE_HEADERS = [
  "Pay No",
  "Warrant Number",
  "Forename(s)",
  "Surname",
  "Rank/Grade",
  "Post Sensitivity",
  "Home Addr Line 1",
  "Annual Salary (£)",
  "Shirt Size",
] as const;

export function examplePerson(n: number): ExamplePerson {
  const pay = String(n).padStart(8, "0");
  return {
    pay,
    warrant: n % 5 === 0 ? "" : `W${pay.slice(2)}`,
    forenames: `Forename${n}`,
    surname: `Surname${n}`,
    rank: n % 5 === 0 ? "Control Room Operator" : "Constable",
    sensitivity: n % 50 === 7 ? "covert" : "ordinary",
    address: `${n} Secret Street`,
    salary: String(30_000 + n),
  };
}

export function toCells(person: ExamplePerson): string[] {
  const { pay, warrant, forenames, surname, rank, sensitivity, address, salary } = person;
  return [pay, warrant, forenames, surname, rank, sensitivity, address, salary, "M"];
}

export type Dialect = {
  readonly delimiter?: string;
  readonly end?: string;
  readonly encoding?: "utf8" | "bom" | "windows-1252";
};

/** Writes rows, header included, as CSV; the file's path. */
export function writeCsv(folder: string, rows: readonly (readonly string[])[], dialect: Dialect = {}): string {
  const { delimiter = ",", end = "\r\n", encoding = "utf8" } = dialect;
  const cell = (text: string): string => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const text = rows.map((row) => row.map(cell).join(delimiter) + end).join("");
  const path = join(folder, `extract-${Math.random().toString(36).slice(2)}.csv`);
  // In Windows-1252 the right quote has a byte of its own; the other letters are Latin-1's.
  if (encoding === "windows-1252") writeFileSync(path, Buffer.from(text.replaceAll("’", "\u0092"), "latin1"));
  else writeFileSync(path, (encoding === "bom" ? "\uFEFF" : "") + text);
  return path;
}

export function writePeople(folder: string, people: readonly ExamplePerson[], dialect: Dialect = {}): string {
  return writeCsv(folder, [EXAMPLE_HEADERS, ...people.map(toCells)], dialect);
}

/** A photo with a GPS position in its EXIF. */
export async function writePhoto(
  path: string,
  options: { width?: number; height?: number; orientation?: number } = {},
) {
  const { width = 300, height = 400, orientation = 1 } = options;
  const exif = { IFD0: { Copyright: "secret-camera" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" } };
  await sharp({ create: { width, height, channels: 3, background: "#8899aa" } })
    .withExif(exif)
    .withMetadata({ orientation })
    .jpeg()
    .toFile(path);
}
