import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { EXAMPLE_HEADERS, type ExamplePerson, examplePerson, writePeople } from "./example-extract.ts";
import { type ImportOptions, importCommand } from "./import-command.ts";
import { openPhotos } from "./open-photos.ts";
import { openTable } from "./open-table.ts";
import { makeArchive } from "./test-zip.ts";

let desk: TestDesk;
let folder: string;

beforeAll(async () => {
  desk = await startTestDesk();
  folder = mkdtempSync(join(desk.folder, "files-"));
}, 60_000);
afterAll(async () => {
  await desk?.stop();
});

const range = (from: number, to: number): ExamplePerson[] =>
  Array.from({ length: to - from }, (_, at) => examplePerson(from + at));
const importFile = (file: string, options: Partial<ImportOptions> = {}) =>
  importCommand(desk.desk, { file, actor: desk.as("hr.clerk").id, ...options });
/** What an import may change. */
const snapshot = async () =>
  (await desk.desk.pool.query("select (select count(*) from person) people, (select count(*) from import) imports"))
    .rows;

describe("importCommand() refuses", () => {
  const refuse = async (bytes: string | Buffer, code: string, words: RegExp) => {
    const file = join(folder, `bad-${Math.random()}.csv`);
    writeFileSync(file, bytes);
    const before = await snapshot();
    await expect(importFile(file)).rejects.toMatchObject({ name: "ImportError", code, message: words });
    expect(await snapshot()).toEqual(before);
    rmSync(file);
  };
  const header = EXAMPLE_HEADERS.join(",");
  test("an empty file", () => refuse("", "bad-file", /empty/));
  test("a file of blank lines", () => refuse("\n\r\n,,,\n", "bad-file", /no row/));
  test("a header without rows", () => refuse(`${header}\n`, "bad-file", /no rows/));
  test("UTF-16", () => refuse(Buffer.from(`\uFEFF${header}\n`, "utf16le"), "bad-file", /UTF-16/));
  test("UTF-16 without a mark", () => refuse(Buffer.from(`${header}\n`, "utf16le"), "bad-file", /NUL/));
  test("NUL bytes", () => refuse(`${header}\n1\0,2\n`, "bad-file", /NUL/));
  test("UTF-8 with one line of Windows-1252", () => {
    const mixed = [`${header}\n1,René\n2,`, "é\n3,Zoë\n"].map((text, at) =>
      Buffer.from(text, at === 0 ? "utf8" : "latin1"),
    );
    return refuse(Buffer.concat(mixed), "bad-file", /not in line 3/);
  });
  test("UTF-8 that is cut off within a letter", () =>
    refuse(Buffer.from(`${header}\n1,René\n2,é`).subarray(0, -1), "bad-file", /not in line 3.*cut off/));
  test("an open quote", () => refuse(`${header}\n"1,2\n3,4\n`, "bad-file", /line 2: a quote is opened/));
  test("a file without the columns it needs", () => refuse("a,b\n1,2\n", "bad-mapping", /payNumber/));
  test("two columns for one field", () => refuse(`Pay No,${header}\n1\n`, "bad-mapping", /both look like payNumber/));
  test("an old workbook", () => refuse(Buffer.from("d0cf11e0a1b11ae1", "hex"), "bad-file", /old or password/));
  test("a ZIP that is no workbook", () => refuse(Buffer.from("504b0304ffffffff", "hex"), "bad-file", /ZIP/));
  test("a folder, a device, a path that is not there", async () => {
    for (const file of [folder, "/dev/zero", join(folder, "not-there.csv")]) {
      await expect(importFile(file)).rejects.toMatchObject({ code: "bad-file" });
    }
  });
  test("text that is named like a workbook", async () => {
    const file = join(folder, "text.XLSX");
    writeFileSync(file, `${header}\n`);
    await expect(importFile(file)).rejects.toMatchObject({ code: "bad-file", message: /named like a workbook/ });
  });
  test("to overwrite the extract with its own faults", async () => {
    const file = writePeople(folder, [examplePerson(1), examplePerson(1)]);
    const bytes = readFileSync(file);
    for (const dryRun of [true, false]) {
      await expect(importFile(file, { errors: file, dryRun })).rejects.toMatchObject({ code: "bad-file" });
    }
    expect(readFileSync(file)).toEqual(bytes);
  });
  test("an empty ZIP", () =>
    refuse(Buffer.from(`504b0506${"00".repeat(18)}`, "hex"), "bad-file", /another kind of ZIP/));
  // Whoever runs the tests as root may read everything, until another user is taken on.
  test.runIf(process.geteuid?.() === 0)("an extract and photos that this user may not read", async () => {
    const place = mkdtempSync(join(tmpdir(), "unreadable-"));
    chmodSync(place, 0o755);
    const file = writePeople(place, range(1, 3));
    const archive = join(place, "photos.zip");
    writeFileSync(archive, makeArchive([{ name: "00000001.jpg", content: "x" }]));
    const photos = join(place, "photos");
    mkdirSync(photos);
    for (const path of [file, archive, photos]) chmodSync(path, 0);
    process.seteuid?.(65_534);
    try {
      await expect(openTable(file)).rejects.toMatchObject({ code: "bad-file", message: /right to/ });
      await expect(openPhotos(archive)).rejects.toMatchObject({ code: "bad-photos", message: /may not read/ });
      await expect(openPhotos(photos)).rejects.toMatchObject({ code: "bad-photos", message: /right to/ });
    } finally {
      process.seteuid?.(0);
      rmSync(place, { recursive: true });
    }
  });
  test("a mapping file that is an alias bomb, places a column nowhere, or says what no row may hold", async () => {
    const file = writePeople(folder, range(1, 3));
    const mapping = join(folder, "mapping.yaml");
    writeFileSync(mapping, "a: &a [x,x]\nb: &b [*a,*a]\ncolumns: {x: *b}\n");
    await expect(importFile(file, { mapping })).rejects.toMatchObject({ code: "bad-mapping", message: /aliases/ });
    writeFileSync(mapping, 'columns: {"Shirt Size": nowhere}\n');
    await expect(importFile(file, { mapping })).rejects.toMatchObject({ code: "bad-mapping", message: /Shirt Size/ });
    for (const always of ["postSensitivity: weird", "role: captain", "employedUntil: 31/02/2026", "payNumber: -1"]) {
      writeFileSync(mapping, `always: {${always}}\n`);
      await expect(importFile(file, { mapping })).rejects.toMatchObject({ code: "bad-mapping", message: /no row may/ });
    }
  });
});
