import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { filesBelow, readKnownValues, searchBytes, searchText } from "./known-values.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-known-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const extract = join(folder, "extract.csv");
writeFileSync(
  extract,
  '\uFEFFPay No,Forename(s),Surname,Home Addr Line 1\r\n0012345,Siân,Featherstone,"1, Mill ""Old"" Lane"\r\n0099887,Mary,Price,2 Hill\r\n',
);
const known = readKnownValues(extract);

test("readKnownValues() reads quoted cells, byte order mark and CRLF", () => {
  expect(known.map(({ text }) => text)).toEqual(
    expect.arrayContaining(["0012345", "Siân", "Featherstone", '1, Mill "Old" Lane', "Siân Featherstone"]),
  );
});

test("the searches find what was planted, and nothing in a clean log", () => {
  const log = join(folder, "desk.log");
  writeFileSync(log, '{"msg":"sealed","pay":"0012345"}\n');
  const binary = join(folder, "store.bin");
  writeFileSync(binary, Buffer.concat([Buffer.alloc(100, 7), Buffer.from("Featherstone"), Buffer.alloc(9)]));
  const clean = join(folder, "clean.log");
  writeFileSync(clean, '{"msg":"the Pricelist","responseTime":1.0012345}\n');

  expect(searchText([log], folder, known)).toMatchObject([{ what: "Pay No", row: 0, file: "desk.log" }]);
  expect(searchBytes([binary], folder, known)).toMatchObject([{ what: "Surname", row: 0 }]);
  expect(searchText([clean], folder, known)).toEqual([]);
  expect(filesBelow(folder)).toHaveLength(4);
});
