import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freeReportName, writeReport } from "./restore-report.ts";

let home = "";
let folders = { data: "", tiles: "", openings: "", orders: "", templates: "", reports: "" };
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tipstaff-reports-"));
  folders = { ...folders, reports: join(home, "reports") };
});
afterEach(() => rmSync(home, { recursive: true }));

const report = async (id: string, text: string): Promise<string> => {
  const name = await freeReportName({ folders }, { id });
  await writeReport({ folders }, { id, name }, text);
  return name;
};
const read = (name: string): string => readFileSync(join(folders.reports, name), "utf8");

it("a second loss from the same old backup has a report of its own, and the first stays as it is", async () => {
  const names = [await report("1", "first"), await report("1", "second"), await report("1", "third")];
  expect(names).toEqual(["restore-1.json", "restore-1-2.json", "restore-1-3.json"]);
  expect(names.map(read)).toEqual(["first", "second", "third"]);
  expect(await report("12", "another")).toBe("restore-12.json");
  expect(readdirSync(folders.reports).sort()).toEqual([...names, "restore-12.json"].sort());
});

it("a start that was interrupted after the report writes none again", async () => {
  await report("1", "first");
  await report("1", "second");
  await report("1", "first");
  await report("1", "second");
  expect(readdirSync(folders.reports).sort()).toEqual(["restore-1-2.json", "restore-1.json"]);
});

it("what an interrupted start left half written is no report and in nobody's way", async () => {
  await freeReportName({ folders }, { id: "1" });
  writeFileSync(join(folders.reports, "restore-1.json.part"), "fir");
  expect(await report("1", "first")).toBe("restore-1.json");
  expect(read("restore-1.json")).toBe("first");
  expect(readdirSync(folders.reports)).toEqual(["restore-1.json"]);
});

it("a name that was taken meanwhile is refused, and what is there stays", async () => {
  const name = await freeReportName({ folders }, { id: "1" });
  writeFileSync(join(folders.reports, name), "somebody else's");
  await expect(writeReport({ folders }, { id: "1", name }, "ours")).rejects.toMatchObject({ code: "EEXIST" });
  expect(read(name)).toBe("somebody else's");
});
