import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { EXAMPLE_HEADERS, type ExamplePerson, examplePerson, toCells, writePhoto } from "./example-extract.ts";
import { type ImportOptions, importCommand } from "./import-command.ts";
import { makeWorkbook } from "./test-zip.ts";

let desk: TestDesk;
let folder: string;

beforeAll(async () => {
  desk = await startTestDesk();
  folder = mkdtempSync(join(desk.folder, "files-"));
}, 60_000);
afterAll(async () => {
  await desk?.stop();
});

const importFile = (file: string, options: Partial<ImportOptions> = {}) =>
  importCommand(desk.desk, { file, actor: desk.as("hr.clerk").id, ...options });
const people = Array.from({ length: 10 }, (_, at) => examplePerson(8000 + at));

describe("importCommand() of a workbook whose filter hides rows", () => {
  const cell = (at: number, value: string) =>
    `<c r="${String.fromCharCode(65 + at)}__" t="inlineStr"><is><t>${value}</t></is></c>`;
  const row = (line: number, cells: readonly string[], hidden: boolean) =>
    `<row r="${line}"${hidden ? ' hidden="1"' : ""}>${cells
      .map((value, at) => cell(at, value))
      .join("")
      .replaceAll("__", `${line}`)}</row>`;
  const save = (rows: readonly ExamplePerson[], isHidden: (at: number) => boolean) => {
    const body = rows.map((person, at) => row(at + 2, toCells(person), isHidden(at)));
    const filter = `<autoFilter ref="A1:I${rows.length + 1}"><filterColumn colId="4"><filters/></filterColumn></autoFilter>`;
    const sheet = `<worksheet><sheetData>${row(1, EXAMPLE_HEADERS, false)}${body.join("")}</sheetData>${filter}</worksheet>`;
    const file = join(folder, `filtered-${Math.random()}.xlsx`);
    writeFileSync(file, makeWorkbook(sheet));
    return file;
  };
  const query = async (text: string) => (await desk.desk.pool.query(text)).rows;
  const presence = () => query("select presence, count(*)::int n from person group by 1 order by 1");
  const versions = () => query("select record_version version, count(*)::int n from person group by 1 order by 1");

  test("imports what is shown, adds nobody who is hidden, and tells how many", async () => {
    const report = await importFile(
      save(people, (at) => at >= 7),
      { allowLeavers: true },
    );
    expect(report).toMatchObject({ added: 7, rowsHidden: 3, rowsRefused: 0, hidden: { rows: 3 } });
    expect(await importFile(save(people, () => false))).toMatchObject({ added: 3, unchanged: 7, rowsHidden: 0 });
  });

  test("takes nobody for a leaver who stands in a hidden row, and changes nothing about them", async () => {
    const before = await presence();
    const photos = mkdtempSync(join(folder, "filtered-"));
    await writePhoto(join(photos, "00008009.jpg"));
    const changed = people.map((person) => ({ ...person, surname: "Married" }));
    const report = await importFile(
      save(changed, (at) => at > 0),
      { photos },
    );
    expect(report).toMatchObject({ people: 1, changed: 1, rowsHidden: 9, possibleLeavers: 0, rowsRefused: 0 });
    expect(report).toMatchObject({ photos: 0, photoFaults: 0, faultCount: 0 });
    expect(await presence()).toEqual(before);
    expect(await versions()).toEqual([
      { version: 1, n: 9 },
      { version: 2, n: 1 },
    ]);
  });

  test("still finds who stands in no row at all", async () => {
    const report = await importFile(save(people.slice(0, 9), (at) => at > 0));
    expect(report).toMatchObject({ rowsHidden: 8, possibleLeavers: 1 });
  });

  test("does not take a hidden row for a refused one, however broken it is", async () => {
    const broken = people.map((person, at) =>
      at < 5 ? { ...person, surname: "", pay: at === 0 ? "!" : person.pay } : person,
    );
    const report = await importFile(
      save(broken, (at) => at < 5),
      { dryRun: true },
    );
    expect(report).toMatchObject({ rowsHidden: 5, rowsRefused: 0, faultCount: 0, people: 5 });
  });

  test("stops where all rows are hidden", async () => {
    const attempt = importFile(save(people, () => true));
    await expect(attempt).rejects.toMatchObject({ code: "bad-file", message: /Clear its filter/ });
  });
});
