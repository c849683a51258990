import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { gatherWanted, type Wanted } from "./wanted.ts";

/** What the drill searches for: every name, number and portrait of the force, from the extract that was imported. */
export type KnownPeople = {
  readonly count: number;
  readonly wanted: Wanted;
  /** Dictionary for attacks on indexes: each person's numbers as they are stored, read anew each time. */
  readonly dictionary: () => AsyncIterable<OwnNumber>;
  readonly portraits: KnownPortraits;
};

export type OwnNumber = { readonly person: number; readonly number: string };

/** The folder of portraits, and whom the files in it are named after. */
export type KnownPortraits = { readonly photos: string; readonly byPayNumber: () => Promise<Map<string, number>> };

/** One row of the extract; `forename` is the first one. */
type KnownPerson = {
  readonly surname: string;
  readonly forename: string;
  readonly numbers: readonly string[];
  readonly payNumber: string;
};

const SHORTEST_NUMBER = 5;
const NUMBER_HEADERS = ["Pay No", "Warrant No", "Collar No"];

/** Reads the extract row by row: what is kept of it is little, and the same for any length of rows. */
export async function readKnownPeople(extractFolder: string): Promise<KnownPeople> {
  const extract = join(extractFolder, "extract.csv");
  let count = 0;
  async function* counted() {
    for await (const person of rowsOf(extract)) {
      count += 1;
      yield person;
    }
  }
  const wanted = await gatherWanted(counted());
  return {
    count,
    wanted,
    dictionary: () => numbersOf(extract),
    portraits: { photos: join(extractFolder, "photos"), byPayNumber: () => readPayNumbers(extract) },
  };
}

async function* rowsOf(extract: string): AsyncGenerator<KnownPerson> {
  const parser = parse({ bom: true, columns: true, relax_column_count: true });
  // Whoever reads the rows is told of an error by the parser.
  const rows: AsyncIterable<Record<string, string>> = pipeline(createReadStream(extract), parser, () => undefined);
  for await (const row of rows) {
    const numbers = NUMBER_HEADERS.map((header) => (row[header] ?? "").trim());
    yield {
      surname: row.Surname ?? "",
      forename: (row["Forename(s)"] ?? "").split(" ")[0] ?? "",
      numbers: numbers.filter((number) => number.length >= SHORTEST_NUMBER),
      payNumber: numbers[0] ?? "",
    };
  }
}

async function* numbersOf(extract: string): AsyncGenerator<OwnNumber> {
  let person = 0;
  for await (const { numbers } of rowsOf(extract)) {
    for (const number of numbers) yield { person, number };
    person += 1;
  }
}

async function readPayNumbers(extract: string): Promise<Map<string, number>> {
  const byPayNumber = new Map<string, number>();
  let person = 0;
  for await (const { payNumber } of rowsOf(extract)) {
    byPayNumber.set(payNumber, person);
    person += 1;
  }
  return byPayNumber;
}
