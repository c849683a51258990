import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { categories, isUnder } from "./categories.ts";
import { dpvNarrower } from "./dpv-concepts.ts";

const parentsById = z.record(z.string(), z.array(z.string()).min(1));
const { concepts, upper } = z
  .object({ concepts: parentsById, upper: parentsById })
  .parse(JSON.parse(readFileSync(new URL("../vectors/dpv-2.3-pd.json", import.meta.url), "utf8")));

const isPd = (id: string): boolean => id.startsWith("pd:");
const ours = categories.filter(({ id }) => isPd(id));
const published = new Map(Object.entries({ ...concepts, ...upper }));
const reaches = (id: string, goal: string): boolean =>
  id === goal || (published.get(id) ?? []).some((parent) => reaches(parent, goal));

describe("the concepts of DPV 2.3 PD", () => {
  it("are exactly those that W3C published", () => {
    expect(ours.map(({ id }) => id)).toEqual(Object.keys(concepts).sort());
  });

  it.each(ours.map(({ id, parents }) => [id, parents] as const))("%s has exactly W3C's parents", (id, parents) => {
    expect([...parents].sort()).toEqual((published.get(id) ?? []).filter(isPd).sort());
  });

  it("name no narrower concept twice, and each in alphabetical order", () => {
    for (const list of Object.values(dpvNarrower).map((text) => text.split(" ")))
      expect(list).toEqual([...new Set(list)].sort());
  });

  it("end, up every chain, in a top concept that W3C puts beneath dpv:PersonalData", () => {
    const tops = ours.filter(({ parents }) => parents.length === 0).map(({ id }) => id);
    expect(ours.filter(({ id }) => !tops.some((top) => isUnder(id, top)))).toEqual([]);
    for (const top of tops) {
      expect((published.get(top) ?? []).filter(isPd)).toEqual([]);
      expect(reaches(top, "dpv:PersonalData")).toBe(true);
    }
  });

  it("are special wherever W3C calls them a special category, and besides only for crime and vulnerability", () => {
    for (const { id, special } of ours)
      expect([id, special]).toEqual([
        id,
        reaches(id, "dpv:SpecialCategoryPersonalData") || isUnder(id, "pd:Criminal") || isUnder(id, "pd:Vulnerability"),
      ]);
  });
});
