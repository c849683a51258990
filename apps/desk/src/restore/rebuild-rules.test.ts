import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choosePeopleToErase, refuseOldKeyholder } from "./rebuild-rules.ts";

const current = { signedSize: 10, logSize: 10, journalSize: 7, loggedJournalSize: 7 };

describe("refuseOldKeyholder()", () => {
  it("refuses a keyholder that signed fewer entries than were published, and says what to do", () => {
    expect(refuseOldKeyholder({ ...current, signedSize: 9 })).toMatch(/signed 9 .* has 10; restore its newest folder/);
  });
  it("refuses a keyholder whose journal is shorter than the log knew it", () => {
    expect(refuseOldKeyholder({ ...current, journalSize: 6 })).toMatch(/journal has 6 .* knew 7; restore its newest/);
  });
  it("takes one that is as far as the log, or further, and no other", () => {
    expect(refuseOldKeyholder(current)).toBeUndefined();
    const sizes = fc.record({
      ...{ signedSize: fc.nat(9), logSize: fc.nat(9), journalSize: fc.nat(9), loggedJournalSize: fc.nat(9) },
    });
    fc.assert(
      fc.property(sizes, (age) => {
        const isOld = age.signedSize < age.logSize || age.journalSize < age.loggedJournalSize;
        expect(refuseOldKeyholder(age) !== undefined).toBe(isOld);
      }),
    );
  });
});

it("choosePeopleToErase() chooses nobody where the log has fewer erasures than people lack their keys", () => {
  expect(choosePeopleToErase(["a", "b"], 1)).toEqual([]);
  expect(choosePeopleToErase(["a", "b"], 0)).toEqual([]);
  expect(choosePeopleToErase(["a", "b"], 2)).toEqual(["a", "b"]);
  expect(choosePeopleToErase([], 3)).toEqual([]);
});
