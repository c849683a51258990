import { expect, it } from "vitest";
import { toExposureText } from "./exposure-text.ts";

const readings = (trusted: number, untrusted: number) => ({ trusted, untrusted });
const answer = (declared: number, shut = 0) => ({
  ...{ recipient: "cardmaker", from: "2026-01-01T00:00:00.000Z", to: "2026-02-01T00:00:00.000Z", people: 3 },
  grades: {
    "in clear in that window": 2,
    "declared destroyed before, by signed receipt": 1,
    "never released": 0,
    "declared, unproven": declared,
  },
  byCategory: { "pd:Name": readings(2, 3) },
  byPostSensitivity: { ordinary: readings(2, 3) },
  byRank: { Constable: readings(2, 3) },
  personHours: { digital: readings(1.25, 40), physical: readings(12, 12) },
  declared: {
    people: readings(1, declared),
    alsoProven: 1,
    byCategory: { "pd:Picture": readings(1, declared) },
    byPostSensitivity: { covert: readings(0, 1) },
    personHours: readings(24, 48),
  },
  unopenable: { grade: "possible exposure, unopenable", entries: shut, released: 1 },
});

it("toExposureText() keeps what was declared apart from what the ledger proves", () => {
  expect(toExposureText(answer(2))).toBe(`Exposure at cardmaker, 2026-01-01T00:00:00.000Z to 2026-02-01T00:00:00.000Z
         2  in clear in that window
         1  declared destroyed before, by signed receipt
         0  never released
         2  declared, unproven
Person-hours in clear: digital 1.25 if its receipts are true, 40 if none is; physical 12
By category (people: its word trusted, not trusted)
         2         3  pd:Name
By post sensitivity (people: its word trusted, not trusted)
         2         3  ordinary
By rank (people: its word trusted, not trusted)
         2         3  Constable
Declared, unproven, and added to nothing above: 2 people, 1 of them in that window by the declared ends; 1 stand above too
Their person-hours: 24 if the declared ends are true, 48 if none is
Declared, by category (people: its word trusted, not trusted)
         1         2  pd:Picture
Declared, by post sensitivity (people: its word trusted, not trusted)
         0         1  covert`);
});

it("toExposureText() gives entries that nobody can open a line of their own, and none where there are none", () => {
  const [line, ...more] = toExposureText(answer(0, 3))
    .split("\n")
    .filter((text) => text.includes("unopenable"));
  expect(more).toEqual([]);
  expect(line).toBe(
    "         3  possible exposure, unopenable: entries of the ledger, not people, added to nothing here; 1 of them released",
  );
  expect(toExposureText(answer(0))).not.toMatch(/unopenable/);
  expect(toExposureText(answer(0, 3)).replace(`${line}\n`, "")).toBe(toExposureText(answer(0)));
});

it("toExposureText() says nothing more of declarations where there is none", () => {
  expect(toExposureText(answer(0))).not.toMatch(/Declared/);
});
