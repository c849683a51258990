import { createLookup, type Lookup, type Owned, peopleOf } from "./lookup.ts";

/**
 * Names and numbers to search for, and whose they are. What grows with the force lies in memory that threads share; the
 * words alone, of which a country has only so many, are copied for each.
 */
export type Wanted = {
  readonly surnames: ReadonlyMap<string, number>;
  readonly forenames: ReadonlyMap<string, number>;
  /** By surname and forename. */
  readonly names: Lookup;
  readonly numbers: Lookup;
};

/** One whom the drill searches for; the n-th of them is person n. */
export type WantedPerson = { readonly surname: string; readonly forename: string; readonly numbers: readonly string[] };

/** Shorter words and numbers meet by chance in any gigabyte of random bytes. */
const SHORTEST_NAME = 3;
/** Longer runs of digits are never read as somebody's number. */
const SEARCHED_NUMBER = /^\d{5,14}$/;
/** More than any number that is searched for. */
const NUMBERS = 1e14;
const MOST_FORENAMES = 2 ** 24;

export async function gatherWanted(people: AsyncIterable<WantedPerson> | Iterable<WantedPerson>): Promise<Wanted> {
  const surnames = new Map<string, number>();
  const forenames = new Map<string, number>();
  const names: Owned = { keys: [], people: [] };
  const numbers: Owned = { keys: [], people: [] };
  let person = 0;
  for await (const { surname, forename, numbers: written } of people) {
    if (surname.length >= SHORTEST_NAME && forename.length >= SHORTEST_NAME) {
      names.keys.push(nameKey(idOf(surnames, surname), idOf(forenames, forename)));
      names.people.push(person);
    }
    for (const number of written) {
      if (!SEARCHED_NUMBER.test(number)) continue;
      numbers.keys.push(numberKey(number));
      numbers.people.push(person);
    }
    person += 1;
  }
  return { surnames, forenames, names: createLookup(names), numbers: createLookup(numbers) };
}

function idOf(words: Map<string, number>, word: string): number {
  const id = words.get(word) ?? words.size;
  words.set(word, id);
  return id;
}

const nameKey = (surname: number, forename: number): number => surname * MOST_FORENAMES + forename;

/** Numbers that differ in leading zeros alone are different. */
const numberKey = (digits: string): number => digits.length * NUMBERS + Number(digits);

/** All whom this forename and this surname name together. */
export function bearersOf({ surnames, forenames, names }: Wanted, surname: string, forename: string): Uint32Array {
  const [last, first] = [surnames.get(surname), forenames.get(forename)];
  return peopleOf(names, last === undefined || first === undefined ? Number.NaN : nameKey(last, first));
}

/** Whose number is it? Of several people the last one; `undefined` when it is nobody's. */
export const ownerOf = ({ numbers }: Wanted, digits: string): number | undefined =>
  peopleOf(numbers, numberKey(digits)).at(-1);

/** Every number as it is written. */
export function* writtenNumbers({ numbers }: Wanted): Generator<string> {
  for (const key of numbers.keys) {
    const length = Math.floor(key / NUMBERS);
    yield String(key - length * NUMBERS).padStart(length, "0");
  }
}
