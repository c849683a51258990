import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categories, findCategory, isCategoryId, isUnder } from "./categories.ts";

const id = fc.constantFrom(...categories.map((category) => category.id));

describe("findCategory()", () => {
  it("finds every category by its id and by each of its aliases, in any letter case", () => {
    for (const category of categories)
      for (const name of [category.id, ...category.aliases, category.id.toUpperCase()])
        expect(findCategory(name)).toEqual({ ok: true, category });
  });

  it.each([
    ["Collar-Number", "tip:CollarNumber"],
    ["  collar_number ", "tip:CollarNumber"],
    ["IPAddress", "pd:IPAddress"],
    ["photo", "pd:Picture"],
  ])("reads %j as %s", (written, expected) => {
    const found = findCategory(written);
    expect(found.ok && found.category.id).toBe(expected);
  });

  it.each([
    ["pd:Naem", "pd:Name"],
    ["pd:Photograph", "pd:Picture"],
    ["warant number", "tip:WarrantNumber"],
    ["tip:VetingLevel", "tip:VettingLevel"],
  ])("refuses %j and suggests %s", (written, suggestion) => {
    expect(findCategory(written)).toEqual({ ok: false, suggestion });
  });

  it.each(["", "everything", "*", "pd:*", "__proto__", "constructor", "x".repeat(100_000)])(
    "refuses %.20j and suggests nothing",
    (written) => {
      expect(findCategory(written)).toEqual({ ok: false });
    },
  );

  it("gives no two categories one name", () => {
    const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, "");
    const owners = new Map<string, string>();
    for (const { id: own, aliases } of categories)
      for (const name of [own, own.replace(/^\w+:/, ""), ...aliases].map(plain)) {
        expect(owners.get(name) ?? own).toBe(own);
        owners.set(name, own);
      }
  });
});

describe("isUnder()", () => {
  it.each([
    ["pd:Salary", "pd:Professional"],
    ["pd:FacialPrint", "pd:Identifying"],
    ["pd:PhysicalAddress", "pd:Contact"],
    ["pd:PhysicalAddress", "pd:Location"],
    ["tip:HomeAddress", "pd:HomeLocation"],
    ["tip:HomeAddress", "pd:Contact"],
    ["tip:CovertPost", "tip:PostSensitivity"],
    ["tip:WarrantNumber", "pd:Identifying"],
    ["pd:GPSCoordinate", "pd:Tracking"],
    ["tip:VictimStatus", "pd:Vulnerability"],
    ["pd:PaymentCardNumber", "pd:PaymentCard"],
    ["pd:PaymentCardNumber", "pd:AccountIdentifier"],
    ["pd:PerformanceAtWork", "pd:Professional"],
    ["pd:SocialBehaviour", "pd:Behavioural"],
    ["pd:SocialBehaviour", "pd:Social"],
    ["pd:BirthDate", "pd:Age"],
  ] as const)("%s is under %s, and not the other way round", (narrow, broad) => {
    expect(isUnder(narrow, broad)).toBe(true);
    expect(isUnder(broad, narrow)).toBe(false);
  });

  it.each([
    ["pd:Picture", "pd:Biometric"],
    ["tip:VettingLevel", "pd:Reliability"],
    ["pd:Salary", "pd:Financial"],
    ["pd:VehicalLicenseNumber", "pd:OfficialID"],
  ] as const)("%s is not under %s", (one, other) => {
    expect(isUnder(one, other)).toBe(false);
  });

  it("is an order: reflexive, transitive, and never both ways between two", () => {
    fc.assert(
      fc.property(id, id, id, (a, b, c) => {
        expect(isUnder(a, a)).toBe(true);
        if (isUnder(a, b) && isUnder(b, c)) expect(isUnder(a, c)).toBe(true);
        if (isUnder(a, b) && isUnder(b, a)) expect(a).toBe(b);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("categories", () => {
  it("name only known parents", () => {
    for (const { parents } of categories) expect(parents.every(isCategoryId)).toBe(true);
  });
  it("end in DPV's nine top concepts and nowhere else", () => {
    const tops = categories.filter(({ parents }) => parents.length === 0).map((category) => category.id);
    expect(tops).toEqual(
      [
        "External",
        "Financial",
        "Historical",
        "Household",
        "Internal",
        "Profile",
        "Social",
        "Tracking",
        "Vulnerability",
      ].map((name) => `pd:${name}`),
    );
  });
  it("know what is special: health and biometrics are, a picture and a rank are not", () => {
    const special = new Set(categories.filter((category) => category.special).map((category) => category.id));
    for (const one of ["pd:Disability", "pd:FacialPrint", "tip:CrimeReport", "pd:TradeUnionMembership"] as const)
      expect(special.has(one)).toBe(true);
    for (const one of ["pd:Picture", "tip:Rank", "pd:Ethnicity"] as const) expect(special.has(one)).toBe(false);
  });
});
