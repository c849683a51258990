import { describe, expect, test } from "vitest";
import { ImportError } from "./import-error.ts";
import { mapColumns, normaliseHeader } from "./mapping.ts";

const NEEDED = ["Pay No", "Surname", "Forename(s)", "Rank/Grade", "Post Sensitivity"];
const map = (...more: string[]) => mapColumns([...NEEDED, ...more]);

describe("normaliseHeader()", () => {
  test.each([
    ["Pay No.", "pay no"],
    ["  PAY_NO ", "pay no"],
    ["Pay #", "pay no"],
    ["Forename(s)", "forenames"],
    ["Annual Salary (£)", "annual salary"],
    ["Home Addr Line 1", "home addr line"],
    ["Prénom", "prenom"],
  ])("of %j is %j", (header, name) => {
    expect(normaliseHeader(header)).toBe(name);
  });
});

describe("mapColumns()", () => {
  test.each([
    ["Home Addr Line 1", "tip:HomeAddress"],
    ["Home Postcode", "pd:PostalCode"],
    ["Mobile", "tip:MobileNumber"],
    ["Home Tel.", "pd:TelephoneNumber"],
    ["Annual Salary (£)", "pd:Salary"],
    ["NI Number", "tip:NationalInsuranceNumber"],
    ["D.O.B.", "pd:BirthDate"],
    ["Vetting Level", "tip:VettingLevel"],
    ["Personal E-mail", "pd:EmailAddressPersonal"],
    ["Next of Kin", "tip:NextOfKin"],
    ["Bank Account No", "pd:FinancialAccountNumber"],
    ["Sort Code", "tip:SortCode"],
    ["Religion", "pd:Religion"],
    ["Passport", "pd:Passport"],
  ])("does not store %j, which is %s", (header, category) => {
    expect(map(header).columnsNotStored).toEqual([{ name: header, category }]);
  });

  test("names what nobody can place, and does not guess", () => {
    expect(map("Shirt Size", "", "Surname at birth")).toMatchObject({
      columnsUnplaced: ["Shirt Size", "column 7", "Surname at birth"],
      columnsNotStored: [],
    });
  });

  test("takes a second choice only where no better column is there", () => {
    const [, ...others] = NEEDED;
    expect(mapColumns(["Employee No", ...others]).fields.get("payNumber")).toEqual({
      column: 0,
      header: "Employee No",
    });
    expect(map("Employee No").columnsNotStored).toEqual([{ name: "Employee No", category: "tip:EmployeeNumber" }]);
  });

  test("refuses two columns for one field, and says how to choose", () => {
    expect(() => map("Payroll Number")).toThrow(/both look like payNumber.*--mapping/s);
  });

  test("lets the mapping choose between them", () => {
    const explicit = { columns: new Map([["Payroll Number", "payNumber" as const]]), always: new Map() };
    const mapped = mapColumns([...NEEDED, "Payroll Number"], explicit);
    expect(mapped.fields.get("payNumber")).toEqual({ column: 5, header: "Payroll Number" });
    expect(mapped.columnsUnplaced).toEqual(["Pay No"]);
  });

  test("refuses a mapping of a column that is not there", () => {
    const explicit = { columns: new Map([["Gone", "title" as const]]), always: new Map() };
    expect(() => mapColumns(NEEDED, explicit)).toThrow(ImportError);
  });

  test.each(NEEDED)("refuses a file without %j, and names the field", (header) => {
    expect(() => mapColumns(NEEDED.filter((one) => one !== header))).toThrow(/has no column for/);
  });

  test("never takes posts for ordinary because nobody said so", () => {
    expect(() => mapColumns(NEEDED.slice(0, 4))).toThrow(/postSensitivity: "ordinary"/);
    const explicit = { columns: new Map(), always: new Map([["postSensitivity" as const, "ordinary"]]) };
    expect(mapColumns(NEEDED.slice(0, 4), explicit).fields.get("postSensitivity")).toEqual({ always: "ordinary" });
  });

  test("does not echo a first line that may be a person", () => {
    expect(() => mapColumns(["00123", "Smythe", "Ann"])).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("Smythe") }),
    );
  });
});
