import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeXlsx } from "hucre/xlsx";
import { afterAll, describe, expect, test } from "vitest";
import { ImportError } from "./import-error.ts";
import { openTable } from "./open-table.ts";
import { makeArchive, makeWorkbook, makeZip } from "./test-zip.ts";

const folder = mkdtempSync(join(tmpdir(), "xlsx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const save = (bytes: Uint8Array): string => {
  const path = join(folder, `${Math.random()}.xlsx`);
  writeFileSync(path, bytes);
  return path;
};
const readAll = async (bytes: Uint8Array) => {
  const table = await openTable(save(bytes));
  const rows = [];
  for await (const some of table.rows()) rows.push(...some);
  return { ...table, hidden: { ...table.hidden }, body: rows };
};
const sheetOf = (rows: string, before = ""): string => `<worksheet>${before}<sheetData>${rows}</sheetData></worksheet>`;
const text = (place: string, value: string) => `<c r="${place}" t="inlineStr"><is><t>${value}</t></is></c>`;
const header = `<row r="1">${text("A1", "Pay No")}${text("B1", "Surname")}</row>`;

describe("a workbook written by a spreadsheet library", () => {
  test("is read: first visible sheet, without hidden columns; what is left out is told", async () => {
    const bytes = await writeXlsx({
      sheets: [
        { hidden: true, name: "Old leavers", rows: [["Pay No"], ["666"]] },
        {
          name: "Extract",
          columns: [{ width: 10, numFmt: "00000000" }, { width: 12, hidden: true }, { width: 20 }],
          rows: [
            ["Pay No", "Vetting", "Surname"],
            [123, "DV", "O’Brien & Søn"],
            [null, null, null],
            [45678901, "SC", "<Smith>"],
          ],
        },
        { name: "Notes", rows: [["x"]] },
      ],
    });
    const { headers, hidden: left, body } = await readAll(bytes);
    expect(headers).toEqual(["Pay No", "Surname"]);
    expect(left).toMatchObject({ sheets: ["Old leavers"], columns: ["Vetting"], furtherSheets: ["Notes"] });
    expect(body.map(({ line }) => line)).toEqual([2, 4]);
    expect(body.map(({ cells }) => cells[1])).toEqual(["O’Brien & Søn", "<Smith>"]);
    expect(body.map(({ cells }) => Number(cells[0]))).toEqual([123, 45678901]);
    expect(JSON.stringify(body)).not.toMatch(/DV|SC|666/);
  });
});

describe("a workbook", () => {
  const styles = `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="00000000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="14"/></cellXfs></styleSheet>`;
  const withStyles = (sheet: string) =>
    makeWorkbook(sheet, undefined, {
      "xl/styles.xml": styles,
      "xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="x/styles" Target="/xl/styles.xml"/></Relationships>`,
      "xl/pivotCache/pivotCacheDefinition1.xml": "<pivotCacheDefinition/>",
    });

  test("keeps leading zeros of texts and of formatted numbers, and reads days", async () => {
    const cells = `<row r="2">${text("A2", "00099")}</row><row r="3"><c r="A3" s="1"><v>123</v></c><c r="B3" s="2"><v>45292</v></c></row><row r="4"><c r="A4"><v>1.2345678E7</v></c></row>`;
    const { body, hidden } = await readAll(withStyles(sheetOf(header + cells)));
    expect(body.map((row) => row.cells)).toEqual([
      ["00099", ""],
      ["00000123", "2024-01-01"],
      ["12345678", ""],
    ]);
    expect(hidden).toMatchObject({ sheets: ["Secret"], pivotCaches: 1 });
  });
  test("marks and counts each hidden row, whether hidden by its mark or by its height", async () => {
    const mark = `<row r="2" hidden="1">${text("A2", "666")}</row><row r="3" hidden="true">${text("A3", "667")}</row>`;
    const height = `<row r="4" ht="0" customHeight="1">${text("A4", "668")}</row><row r="5" hidden="1"/>`;
    const seen = `<row r="6" hidden="0">${text("A6", "1")}</row><row r="7" ht="15">${text("A7", "2")}</row>`;
    const { body, hidden } = await readAll(makeWorkbook(sheetOf(header + mark + height + seen)));
    expect(body.map(({ line, cells, hidden }) => [line, cells[0], hidden])).toEqual([
      [2, "666", true],
      [3, "667", true],
      [4, "668", true],
      [6, "1", undefined],
      [7, "2", undefined],
    ]);
    expect(hidden.rows).toBe(3);
  });
  test("takes the first visible row for the header, whatever hides above it", async () => {
    const above = `<row r="1" hidden="1">${text("A1", "Salary")}${text("B1", "NI Number")}</row>`;
    const below = `<row r="2">${text("A2", "Pay No")}</row><row r="3">${text("A3", "7")}</row>`;
    const { headers, body, hidden } = await readAll(makeWorkbook(sheetOf(above + below)));
    expect(headers).toEqual(["Pay No"]);
    expect(body.map(({ cells }) => cells)).toEqual([["7"]]);
    expect(hidden.rows).toBe(1);
  });
  test("gives the value of a formula, never its text, and skips phonetic readings", async () => {
    const strings = `<sst><si><r><t>Smi</t></r><r><t>th</t></r><rPh><t>SECRET</t></rPh></si></sst>`;
    const cells = `<row r="2"><c r="A2" t="str"><f>HYPERLINK("evil")</f><v>7</v></c><c r="B2" t="s"><v>0</v></c></row>`;
    const { body } = await readAll(makeWorkbook(sheetOf(header + cells), strings));
    expect(body[0]?.cells).toEqual(["7", "Smith"]);
  });

  const refuse = (name: string, bytes: () => Buffer) =>
    test(`is refused: ${name}`, async () => {
      await expect(readAll(bytes())).rejects.toThrow(ImportError);
    });
  refuse("no workbook in the ZIP", () => makeZip({ "a.txt": "x" }));
  refuse("an entity bomb", () => makeWorkbook(`<!DOCTYPE a [<!ENTITY b "bb">]>${sheetOf(header)}`));
  refuse("a sheet that breaks off", () => makeWorkbook(`<worksheet><sheetData>${header}<row r="2"><c`));
  refuse("a sheet without rows", () => makeWorkbook(sheetOf("")));
  refuse("a shared text that is not there", () =>
    makeWorkbook(sheetOf(`${header}<row r="2"><c r="A2" t="s"><v>9</v></c></row>`)),
  );
  refuse("rows out of order", () => makeWorkbook(sheetOf(`<row r="5"/>${header}`)));
  refuse("a place beyond all columns", () => makeWorkbook(sheetOf(`${header}<row r="2">${text("ZZZ2", "x")}</row>`)));
  refuse("a text without end", () =>
    makeWorkbook(sheetOf(`${header}<row r="2">${text("A2", "x".repeat(3_000_000))}</row>`)),
  );
  refuse("a shared text that unpacks to a flood", () =>
    makeWorkbook(sheetOf(header), `<sst>${`<si><t>${"x".repeat(1000)}</t></si>`.repeat(120_000)}</sst>`),
  );
  refuse("a ZIP cut off", () => makeWorkbook(sheetOf(header)).subarray(0, 400));
  refuse("a directory at an offset that no file has", () => {
    const bytes = makeArchive([{ name: "a.txt", content: "x", zip64: true }]);
    return bytes.fill(0xfe, bytes.length - 34, bytes.length - 26);
  });
  refuse("UTF-16 inside", () => makeWorkbook(Buffer.from(sheetOf(header), "utf16le").toString("latin1")));
});
