import { inspect } from "node:util";
import { expect, it } from "vitest";
import { type PersonDetails, parsePersonDetails } from "./person-details.ts";

const details: PersonDetails = {
  ...{ payNumber: "00100001", warrantNumber: "0040001", collarNumber: "", title: "", forenames: "Amara" },
  ...{ surname: "Okafor", knownAs: "", rank: "Constable", unit: "Headquarters", employedUntil: "" },
  ...{ postSensitivity: "ordinary", role: "officer" },
};
const json = JSON.stringify(details);
const bytes = (text: string) => Buffer.from(text, "utf8");

it("parsePersonDetails() reads what was sealed", () => {
  expect(parsePersonDetails(bytes(json))).toEqual(details);
});

it.each([
  ["cut off", json.slice(0, -1)],
  ["no JSON", `Okafor ${json}`],
  ["another value", json.replace('"ordinary"', '"Okafor"')],
  ["a field too many", json.replace("{", '{"Okafor":"Amara",')],
  ["a field too few", json.replace('"surname":"Okafor",', "")],
  ["a number", json.replace('"00100001"', "100001")],
  ["nothing", ""],
])("parsePersonDetails() never quotes a record that it refuses: %s", (_name, text) => {
  let thrown: unknown;
  try {
    parsePersonDetails(bytes(text));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "broken-invariant" });
  expect(inspect(thrown, { depth: 8, showHidden: true })).not.toMatch(/Okafor|Amara|100001|0040001|Headquarters/);
});
