import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import {
  type Dialect,
  EXAMPLE_HEADERS,
  type ExamplePerson,
  examplePerson,
  toCells,
  writeCsv,
  writePeople,
  writePhoto,
} from "./example-extract.ts";
import { type ImportOptions, importCommand } from "./import-command.ts";
import { POST_SENSITIVITIES } from "./person-details.ts";
import { REDACTED_PATHS } from "./redaction.ts";
import { erasePerson, readPeople } from "./register.ts";
import { makeArchive } from "./test-zip.ts";

let desk: TestDesk;
let folder: string;

beforeAll(async () => {
  desk = await startTestDesk();
  folder = mkdtempSync(join(desk.folder, "files-"));
}, 60_000);
afterAll(async () => {
  await desk.stop();
});

const range = (from: number, to: number): ExamplePerson[] =>
  Array.from({ length: to - from }, (_, at) => examplePerson(from + at));
const importFile = (file: string, options: Partial<ImportOptions> = {}) =>
  importCommand(desk.desk, { file, actor: desk.as("hr.clerk").id, ...options });
const query = async <T extends object>(text: string): Promise<T[]> => (await desk.desk.pool.query<T>(text)).rows;
/** Everything that an import may change, as one digest. */
const snapshot = () =>
  query(`select count(*), md5(string_agg(concat_ws('/', id, presence, record_version, details, portrait, fingerprint,
    warrant_index, pay_index), ',' order by id)) from person`);
const LAST_ADDED = "import_id = (select id from import order by started_at desc limit 1)";
const readAll = async (portraits = false, where = "presence <> 'erased'") => {
  const ids = await query<{ id: string }>(`select id from person where ${where}`);
  const reading = { purpose: "drill", reference: "test", actor: desk.as("hr.clerk").id, portraits } as const;
  const people = await readPeople(
    desk.desk,
    ids.map(({ id }) => id),
    reading,
  );
  return people.flatMap((person) => (person === null ? [] : [person]));
};
const allow = (openings: number) => desk.console("budget/raise", { openings, reason: "test" });

describe("importCommand()", () => {
  const people = range(1, 101);

  test("writes nothing in a dry run and says what it would do", async () => {
    const report = await importFile(writePeople(folder, people), { dryRun: true });
    expect(report).toMatchObject({ people: 100, added: 100, dryRun: true, faultsFile: null });
    expect(report.mapping).toMatchObject({ payNumber: "Pay No", rank: "Rank/Grade" });
    expect(await query("select 1 from person union all select 1 from import")).toEqual([]);
  });

  test("stores each sound row as it stands, and no column without authority", async () => {
    const report = await importFile(writePeople(folder, people));
    expect(report).toMatchObject({ people: 100, added: 100, changed: 0, rowsRefused: 0, possibleLeavers: 0 });
    expect(report.columnsNotStored).toEqual([
      { name: "Home Addr Line 1", category: "tip:HomeAddress" },
      { name: "Annual Salary (£)", category: "pd:Salary" },
    ]);
    expect(report.columnsUnplaced).toEqual(["Shirt Size"]);
    await allow(1000);
    const stored = await readAll();
    expect(stored).toHaveLength(100);
    for (const person of people) {
      expect(stored.map((one) => one.details)).toContainEqual(
        expect.objectContaining({
          ...{ payNumber: person.pay, warrantNumber: person.warrant, surname: person.surname, rank: person.rank },
          role: person.warrant === "" ? "staff" : "officer",
          postSensitivity: person.sensitivity,
        }),
      );
    }
    expect(JSON.stringify(stored.map(({ details }) => details))).not.toMatch(/Secret Street|3000\d/);
  });

  test("changes nothing when the same people come again, in another dialect", async () => {
    const before = await snapshot();
    const file = writePeople(folder, people, { delimiter: ";", end: "\n", encoding: "bom" });
    expect(await importFile(file)).toMatchObject({ unchanged: 100, added: 0, changed: 0, possibleLeavers: 0 });
    expect(await snapshot()).toEqual(before);
  });

  test("raises the record version of who changed, and of nobody else", async () => {
    const changed = people.map((person, at) => (at < 3 ? { ...person, surname: `Married${at}` } : person));
    expect(await importFile(writePeople(folder, changed))).toMatchObject({ changed: 3, unchanged: 97 });
    const versions = await query<{ record_version: number; n: number }>(
      "select record_version, count(*)::int n from person group by 1 order by 1",
    );
    expect(versions).toEqual([
      { record_version: 1, n: 97 },
      { record_version: 2, n: 3 },
    ]);
    const names = (await readAll()).map((one) => one.details.surname);
    expect(names).toEqual(expect.arrayContaining(["Married0", "Married1", "Married2"]));
    await importFile(writePeople(folder, people));
  });

  test("stops when more people would leave than may, and goes on when told to", async () => {
    const cut = writePeople(folder, people.slice(0, 80));
    const before = await snapshot();
    expect(await importFile(cut, { dryRun: true })).toMatchObject({
      ...{ possibleLeavers: 20, wouldStop: expect.stringMatching(/20 of the 100 people/) },
    });
    expect(await importFile(cut, { dryRun: true, allowLeavers: true })).toMatchObject({ wouldStop: null });
    await expect(importFile(cut)).rejects.toMatchObject({ code: "too-many-leavers", message: /--allow-leavers/ });
    expect(await snapshot()).toEqual(before);
    expect(await importFile(cut, { allowLeavers: true })).toMatchObject({ possibleLeavers: 20 });
    expect(await query("select 1 from person where presence = 'possible-leaver'")).toHaveLength(20);
    await importFile(writePeople(folder, people));
    expect(await query("select 1 from person where presence = 'possible-leaver'")).toHaveLength(0);
  });

  test("refuses both rows of a number that stands twice, with their lines, and keeps the good ones", async () => {
    const rows = [
      ...people.map(toCells),
      ...range(900, 902).map(toCells),
      toCells({ ...examplePerson(903), pay: "00000900" }),
    ];
    const report = await importFile(writeCsv(folder, [EXAMPLE_HEADERS, ...rows]));
    expect(report).toMatchObject({ added: 1, rowsRefused: 2, unchanged: 100 });
    expect(report.faults).toEqual([
      { line: 102, column: "Pay No", reason: "twice-in-file" },
      { line: 104, column: "Pay No", reason: "twice-in-file" },
    ]);
  });

  test("does not take somebody for a leaver whose row is refused, nor tells what it holds", async () => {
    const broken = people.map((person, at) => (at === 5 ? { ...person, surname: "Bell\u0007Secret" } : person));
    const report = await importFile(writePeople(folder, [...broken, examplePerson(901)]), { maxErrors: 1 });
    expect(report).toMatchObject({ rowsRefused: 1, possibleLeavers: 0 });
    expect(report.faults).toEqual([{ line: 7, column: "Surname", reason: "control-character" }]);
    expect(readFileSync(report.faultsFile ?? "", "utf8")).toBe("line,column,reason\r\n7,Surname,control-character\r\n");
    expect(JSON.stringify(report)).not.toContain("Secret");
  });

  test("refuses a warrant number that another person in the register holds", async () => {
    const thief = { ...examplePerson(904), warrant: "W000001" };
    const report = await importFile(writePeople(folder, [...people.slice(1), examplePerson(901), thief]));
    expect(report.faults).toEqual([{ line: 102, column: "Warrant Number", reason: "held-by-another-person" }]);
  });

  test("stops with the number of openings that are lacking, before anything is opened", async () => {
    const many = range(2000, 4000);
    const everybody = [...people, examplePerson(901)];
    await importFile(writePeople(folder, [...everybody, ...many]));
    const changed = many.map((person) => ({ ...person, rank: "Sergeant", warrant: `X${person.pay}` }));
    const before = await snapshot();
    const { budgetLeft } = await desk.desk.keyholder.call("status", {});
    const tried = await importFile(writePeople(folder, [...everybody, ...changed]), { dryRun: true });
    expect(tried).toMatchObject({ changed: 2000, wouldStop: expect.stringMatching(/2000 must be opened/) });
    const attempt = importFile(writePeople(folder, [...everybody, ...changed]));
    await expect(attempt).rejects.toMatchObject({ code: "budget-exceeded", message: /2000 must be opened/ });
    expect((await desk.desk.keyholder.call("status", {})).budgetLeft).toBe(budgetLeft);
    expect(await snapshot()).toEqual(before);
  });

  test("writes one entry about nobody to the ledger for each import", async () => {
    const imports = await query("select 1 from import where state = 'done'");
    expect(await query("select 1 from ledger.intake")).toHaveLength(imports.length);
    expect(await query("select 1 from import where not roots_settled")).toEqual([]);
  });
});

describe("importCommand() with photos", () => {
  const people = range(5000, 5006);
  let photos: string;
  beforeAll(async () => {
    photos = join(folder, "photos");
    mkdirSync(photos);
    await writePhoto(join(photos, "00005000.jpg"), { width: 400, height: 300, orientation: 6 });
    await writePhoto(join(photos, "W005001_portrait.JPG"));
    await writePhoto(join(photos, "00005002.jpg"));
    await writePhoto(join(photos, "W005002.jpg"));
    writeFileSync(join(photos, "00005003.png"), "no image");
    symlinkSync("/dev/zero", join(photos, "00005004.jpg"));
    await writePhoto(join(photos, "99999999.jpg"));
    writeFileSync(join(photos, "readme.txt"), "not a photo");
  });

  test("turns, crops and strips them, and refuses what is no person's one photo", async () => {
    const report = await importFile(writePeople(folder, people), { photos, allowLeavers: true });
    expect(report).toMatchObject({ added: 6, photos: 2, photoFaults: 4 });
    expect(report.faults.map(({ line, reason }) => `${line} ${reason}`).sort()).toEqual([
      "4 two-photos",
      "5 photo-not-an-image",
      "6 photo-is-link",
      "null photo-of-nobody",
    ]);
    await allow(10_000);
    const portraits = (await readAll(true)).flatMap(({ portrait }) => (portrait === null ? [] : [portrait]));
    expect(portraits).toHaveLength(2);
    for (const portrait of portraits) {
      const metadata = await sharp(portrait).metadata();
      expect(metadata).toMatchObject({ format: "jpeg", width: 413, height: 531 });
      expect(metadata.exif ?? metadata.icc ?? metadata.xmp).toBeUndefined();
      expect(portrait.includes("secret-camera")).toBe(false);
    }
  });

  test("does not make the same portrait again; another photo changes the record", async () => {
    const before = await snapshot();
    expect(await importFile(writePeople(folder, people), { photos })).toMatchObject({ unchanged: 6, photos: 2 });
    expect(await snapshot()).toEqual(before);
    await writePhoto(join(photos, "00005000.jpg"), { width: 500, height: 600 });
    expect(await importFile(writePeople(folder, people), { photos })).toMatchObject({
      changed: 1,
      unchanged: 5,
      photos: 2,
    });
    const opened = await readAll(true);
    expect(opened.filter(({ portrait }) => portrait !== null)).toHaveLength(2);
  });

  test("finds the same photos in a ZIP archive as in the folder, and the same faults", async () => {
    const names = readdirSync(photos);
    const entries = names.map((name) =>
      name === "00005004.jpg"
        ? { name, content: "/dev/zero", mode: 0o120777 }
        : { name, content: readFileSync(join(photos, name)) },
    );
    const archive = join(folder, "photos.zip");
    writeFileSync(archive, makeArchive(entries));
    const before = await snapshot();
    const file = writePeople(folder, people);
    const fromFolder = await importFile(file, { photos });
    const fromArchive = await importFile(file, { photos: archive });
    expect(fromArchive).toMatchObject({ unchanged: 6, changed: 0, photos: 2, photoFaults: 4 });
    expect(fromArchive.faults).toEqual(fromFolder.faults);
    expect(await snapshot()).toEqual(before);
    expect(readFileSync(fromArchive.faultsFile ?? "", "utf8")).not.toMatch(/0000500|99999999/);
    writeFileSync(archive, makeArchive(entries).subarray(0, -50));
    await expect(importFile(file, { photos: archive })).rejects.toMatchObject({ code: "bad-photos" });
    expect(await snapshot()).toEqual(before);
  });

  test("changes nothing, and says so, where a photo can be read and no portrait made of it", async () => {
    const broken = join(folder, "broken-photos");
    mkdirSync(broken);
    await writePhoto(join(broken, "00005000.jpg"), { width: 20, height: 20 });
    const before = await snapshot();
    const report = await importFile(writePeople(folder, people), { photos: broken });
    expect(report).toMatchObject({ changed: 0, unchanged: 6, photos: 0, photoFaults: 1 });
    expect(await snapshot()).toEqual(before);
  });

  test("leaves portraits alone when no photos are given", async () => {
    const before = await snapshot();
    expect(await importFile(writePeople(folder, people))).toMatchObject({ unchanged: 6, photos: 0 });
    expect(await snapshot()).toEqual(before);
  });
});

describe("/api/people", () => {
  test("shows a person to a clerk by number, and the reading stands on the ledger", async () => {
    const entries = await query("select 1 from ledger.intake");
    const answer = await desk.as("cards.clerk").post("/api/people/find", { number: "w000 001" });
    expect(answer).toMatchObject({ status: 200, body: { details: { payNumber: "00000001" }, hasPortrait: false } });
    expect(await query("select 1 from ledger.intake")).toHaveLength(entries.length + 1);
  });
  test("knows of covert posts only to their custodians", async () => {
    const covert = examplePerson(57);
    expect(covert.sensitivity).toBe("covert");
    const find = (login: "cards.clerk" | "covert.custodian", number: string) =>
      desk.as(login).post("/api/people/find", { number });
    const nobody = await find("cards.clerk", "77777777");
    expect(await find("cards.clerk", covert.pay)).toEqual(nobody);
    expect(nobody.status).toBe(404);
    expect(await find("covert.custodian", covert.pay)).toMatchObject({ status: 200 });
  });
  test("refuses to let a clerk erase anybody", async () => {
    const [first] = await query<{ id: string }>("select id from person limit 1");
    expect(await desk.as("cards.clerk").post(`/api/people/${first?.id}/erase`, {})).toMatchObject({ status: 403 });
  });
});

describe("erasePerson()", () => {
  test("leaves nothing that opens, and lets the same numbers come again as somebody new", async () => {
    const [first] = (await readAll()).filter(({ details }) => details.payNumber === "00005001");
    const id = first?.id ?? "";
    const actor = desk.as("hr.clerk").id;
    expect(await erasePerson(desk.desk, id, actor)).toEqual({ ok: true });
    expect(await erasePerson(desk.desk, id, actor)).toEqual({ ok: true });
    const [row] = await query<Record<string, unknown>>(`select * from person where id = '${id}'`);
    expect(row).toMatchObject({
      presence: "erased",
      details: null,
      portrait: null,
      pay_index: null,
      warrant_index: null,
    });
    expect(await readPeople(desk.desk, [id], { purpose: "view", reference: "test", actor })).toEqual([null]);
    expect(await importFile(writePeople(folder, range(5000, 5006)))).toMatchObject({ added: 1, unchanged: 5 });
  });
  test("refuses whoever is not in the register", async () => {
    const nobody = "00000000-0000-4000-8000-000000000000";
    expect(await erasePerson(desk.desk, nobody, nobody)).toEqual({ ok: false, reason: "unknown-person" });
  });
});

describe("any people, in any dialect", () => {
  const name = fc.string({
    unit: fc.constantFrom("é", "ß", "’", '"', "=", ",", ";", " ", "\n", "O", "z"),
    minLength: 1,
    maxLength: 9,
  });
  const person = fc.record({
    surname: name,
    forenames: name,
    rank: name,
    sensitivity: fc.constantFrom(...POST_SENSITIVITIES),
  });
  const tidy = (text: string) => text.replace(/\s+/g, " ").trim().normalize("NFC");

  test("come back out of the register as they went in", async () => {
    await allow(100_000);
    let next = 100_000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\r\n", "\n", "\r"),
        fc.constantFrom<NonNullable<Dialect["encoding"]>>("utf8", "bom", "windows-1252"),
        async (drawn, delimiter, end, encoding) => {
          const people = drawn
            .map((one): ExamplePerson => ({ ...examplePerson(next++), ...one, warrant: `R${next}` }))
            .filter((one) => [one.surname, one.forenames, one.rank].every((text) => tidy(text) !== ""));
          fc.pre(people.length > 0);
          const file = writePeople(folder, people, { delimiter, end, encoding });
          expect(await importFile(file, { allowLeavers: true })).toMatchObject({
            added: people.length,
            rowsRefused: 0,
          });
          const stored = new Map((await readAll(false, LAST_ADDED)).map(({ details }) => [details.payNumber, details]));
          for (const one of people) {
            const { pay: payNumber, warrant: warrantNumber, sensitivity: postSensitivity } = one;
            const names = { surname: tidy(one.surname), forenames: tidy(one.forenames), rank: tidy(one.rank) };
            expect(stored.get(payNumber)).toMatchObject({ payNumber, warrantNumber, postSensitivity, ...names });
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe("what is logged", () => {
  test("names nobody, at the most talkative level, whether an import goes well or not", async () => {
    const lines: string[] = [];
    const log = pino({ level: "trace", redact: [...REDACTED_PATHS] }, { write: (line: string) => lines.push(line) });
    const people = range(7000, 7010);
    const silent = { ...desk.desk, log };
    const good = await importCommand(silent, { file: writePeople(folder, people), allowLeavers: true });
    const broken = writePeople(folder, [{ ...examplePerson(7000), surname: "" }, ...people.slice(1)]);
    const bad = await importCommand(silent, { file: broken, allowLeavers: true });
    log.error({ err: new Error("x"), details: { surname: "Surname7001" }, row: { payNumber: "00007001" } }, "planted");
    expect(lines.length).toBeGreaterThan(1);
    const said = lines.join("") + JSON.stringify([good, bad]);
    expect(said).not.toMatch(/Surname7|Forename7|0000700|W00700|Secret Street/);
  });
});
