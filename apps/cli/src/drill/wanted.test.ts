import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLookup, peopleOf } from "./lookup.ts";
import { bearersOf, gatherWanted, ownerOf, writtenNumbers } from "./wanted.ts";

const word = fc.constantFrom("Example", "Avery", "Łukaszewicz", "Lee", "Li", "");
const digits = fc.stringMatching(/^0{0,3}[0-9]{0,16}$/);
const person = fc.record({ surname: word, forename: word, numbers: fc.array(digits, { maxLength: 3 }) });
const force = fc.array(person, { maxLength: 30 });

describe("peopleOf()", () => {
  it("answers all who have a key in the order in which they came, and nobody for another key", () => {
    const key = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(fc.array(key), key, (keys, asked) => {
        const found = peopleOf(createLookup({ keys, people: [...keys.keys()] }), asked);
        expect([...found]).toEqual([...keys.keys()].filter((person) => keys[person] === asked));
      }),
    );
  });

  it("lies in memory that threads share", () => {
    const { keys, people } = createLookup({ keys: [3, 1], people: [0, 1] });
    expect([keys.buffer, people.buffer].every((memory) => memory instanceof SharedArrayBuffer)).toBe(true);
  });
});

describe("gatherWanted()", () => {
  it("knows all who bear a forename and a surname together, where both have three letters", async () => {
    await fc.assert(
      fc.asyncProperty(force, word, word, async (people, surname, forename) => {
        const isSearched = surname.length >= 3 && forename.length >= 3;
        const bearers = [...people.entries()].filter(
          ([, one]) => isSearched && one.surname === surname && one.forename === forename,
        );
        const found = bearersOf(await gatherWanted(people), surname, forename);
        expect([...found]).toEqual(bearers.map(([place]) => place));
      }),
    );
  });

  it("knows whose a number of 5 to 14 digits is, keeps its leading zeros, and gives it to the last of several", async () => {
    await fc.assert(
      fc.asyncProperty(force, async (people) => {
        const wanted = await gatherWanted(people);
        const owners = new Map<string, number>();
        for (const [place, { numbers }] of people.entries()) {
          for (const number of numbers) if (number.length >= 5 && number.length <= 14) owners.set(number, place);
        }
        for (const [number, owner] of owners) expect(ownerOf(wanted, number)).toBe(owner);
        expect([...new Set(writtenNumbers(wanted))].sort()).toEqual([...owners.keys()].sort());
      }),
    );
  });

  it("does not know a number with another count of leading zeros, or one that is not digits alone", async () => {
    const wanted = await gatherWanted([{ surname: "", forename: "", numbers: ["0012345", "AB12345"] }]);
    expect(["12345", "012345", "00012345", "0012346"].map((number) => ownerOf(wanted, number))).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
    expect([...writtenNumbers(wanted)]).toEqual(["0012345"]);
  });
});
