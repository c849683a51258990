import { createReadStream } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse";

/** Names and numbers to search for, and whose they are. */
export type Wanted = {
  /** surname → forename → people who bear both. */
  readonly names: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;
  readonly numbers: ReadonlyMap<string, number>;
};

/** What the drill searches for: every name, number and portrait of the force, from the extract that was imported. */
export type KnownPeople = Wanted & {
  readonly count: number;
  /** Dictionary for attacks on indexes: each person's numbers as they are stored. */
  readonly dictionary: readonly { person: number; number: string }[];
  /** The folder of portraits, and whom the files are named after. */
  readonly photos: string;
  readonly byPayNumber: ReadonlyMap<string, number>;
};

/** Shorter words and numbers meet by chance in any gigabyte of random bytes. */
const SHORTEST_NAME = 3;
const SHORTEST_NUMBER = 5;
const NUMBER_HEADERS = ["Pay No", "Warrant No", "Collar No"];

export async function readKnownPeople(extractFolder: string): Promise<KnownPeople> {
  const names = new Map<string, Map<string, number[]>>();
  const numbers = new Map<string, number>();
  const dictionary: { person: number; number: string }[] = [];
  const byPayNumber = new Map<string, number>();
  let count = 0;
  const rows = createReadStream(join(extractFolder, "extract.csv")).pipe(
    parse({ bom: true, columns: true, relax_column_count: true }),
  );
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    const person = count;
    const surname = row.Surname ?? "";
    const forename = (row["Forename(s)"] ?? "").split(" ")[0] ?? "";
    if (surname.length >= SHORTEST_NAME && forename.length >= SHORTEST_NAME) {
      const bearers = names.get(surname) ?? new Map<string, number[]>();
      bearers.set(forename, [...(bearers.get(forename) ?? []), person]);
      names.set(surname, bearers);
    }
    for (const header of NUMBER_HEADERS) {
      const number = (row[header] ?? "").trim();
      if (number.length < SHORTEST_NUMBER) continue;
      numbers.set(number, person);
      dictionary.push({ person, number });
    }
    byPayNumber.set((row["Pay No"] ?? "").trim(), person);
    count += 1;
  }
  return { count, names, numbers, dictionary, photos: join(extractFolder, "photos"), byPayNumber };
}
