import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { CsvParser } from "./csv-parser.ts";
import { createFaultLog, toCsvLine } from "./faults.ts";

const folder = mkdtempSync(join(tmpdir(), "faults-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("toCsvLine()", () => {
  test("never writes a cell that a spreadsheet takes for a formula", () => {
    const cell = fc.string({ unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", " ", '"', ",", "a"), maxLength: 6 });
    fc.assert(
      fc.property(cell, (text) => {
        const parser = new CsvParser(",");
        const [row] = [...parser.push(`${toCsvLine([text, "end"])}\n`), ...parser.end()];
        expect(row?.cells).toHaveLength(2);
        expect(row?.cells[0]).not.toMatch(/^\s*[=+\-@\t\r]/);
      }),
    );
  });
});

describe("createFaultLog()", () => {
  const fault = (line: number | null) => ({ line, column: "=Rank", reason: "missing" }) as const;
  test("keeps the first few at hand and writes all of them", async () => {
    const path = join(folder, "all.csv");
    const log = createFaultLog(1, path);
    for (const line of [2, 3, null]) log.add(fault(line));
    expect(await log.close()).toBe(path);
    expect([log.first.length, log.count()]).toEqual([1, 3]);
    const lines = readFileSync(path, "utf8").trimEnd().split("\r\n");
    expect(lines).toEqual(["line,column,reason", `2,"'=Rank",missing`, `3,"'=Rank",missing`, `,"'=Rank",missing`]);
  });
  test("makes no file where nothing is wrong", async () => {
    expect(await createFaultLog(1, join(folder, "none.csv")).close()).toBeNull();
  });
  test("replaces its own earlier file, and no other: not an extract, a workbook, a folder or a pipe", async () => {
    const add = async (path: string) => {
      const log = createFaultLog(1, path);
      log.add(fault(1));
      await log.flush();
      return await log.close();
    };
    const path = join(folder, "again.csv");
    writeFileSync(path, "line,column,reason\r\n".repeat(50));
    expect(await add(path)).toBe(path);
    expect(readFileSync(path, "utf8").split("\r\n")).toHaveLength(3);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const refused of [folder, pipe]) await expect(add(refused)).rejects.toMatchObject({ code: "bad-file" });
    for (const content of ["Pay No,Surname\r\n1,Smith\r\n", "line,column,reason", "PK\u0003\u0004", "x"]) {
      writeFileSync(path, content);
      await expect(add(path)).rejects.toMatchObject({ code: "bad-file", message: /no file of faults/ });
      expect(readFileSync(path, "utf8")).toBe(content);
    }
  });
  test("refuses a place that cannot be written", async () => {
    const log = createFaultLog(1, join(folder, "no", "such", "folder.csv"));
    log.add(fault(1));
    await expect(log.flush()).rejects.toMatchObject({ code: "bad-file" });
  });
});
