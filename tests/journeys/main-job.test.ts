import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Ended, serveAll, tipstaff } from "./command-line.ts";
import { filesBelow, holdsWord, type KnownValue, readKnownValues, searchBytes, searchText } from "./known-values.ts";

const PEOPLE = 100;
const DEMO_SECONDS = 600;
/** What each process says at debug and nowhere above: without it, a search of its log would prove little. */
const TOLD_AT_DEBUG = {
  "desk.log": ["answered", "cards of an order sealed", "order published", "run opened", "run closed"],
  "keyholder.log": ["answered"],
  "bureau.log": ["answered", "job released", "job printed", "receipt accepted"],
  "import.log": ["import batch written"],
};
const isLogLine = (line: string) => line.startsWith("{");
const home = mkdtempSync(join(tmpdir(), "tipstaff-main-job-"));
const count = z.int().min(0);
const hours = z.strictObject({ trusted: z.number().min(0), untrusted: z.number().min(0) });

/** The contract of `tipstaff demo --json`: these fields and no others. */
const reportSchema = z.strictObject({
  people: count,
  photos: count,
  columnsNotStored: z.array(z.strictObject({ name: z.string(), category: z.string() })),
  rowsRefused: count,
  cards: z.strictObject({ ordered: count, produced: count, spoiled: count, received: count, inHouse: count }),
  releases: count,
  receipts: count,
  holds: z.array(z.strictObject({ reason: z.string() })),
  ledger: z.strictObject({ path: z.string(), origin: z.string(), size: count, verified: z.boolean() }),
  drill: z.array(z.strictObject({ level: count, people: count, ofPeople: count })),
  exposure: z.strictObject({
    people: count,
    personHoursInClear: z.number(),
    personHours: z.strictObject({ digital: hours, physical: hours }),
  }),
  seconds: z.number().positive(),
  paths: z.strictObject({ extract: z.string(), cards: z.string(), reports: z.string() }),
});

const answeredSchema = z.strictObject({
  ...{ level: z.literal(20), time: z.number(), app: z.enum(["desk", "bureau"]), msg: z.literal("answered") },
  ...{ method: z.enum(["GET", "HEAD", "POST"]), route: z.string(), status: z.int(), ms: z.int().min(0) },
});

let demo: Ended;
let report: z.infer<typeof reportSchema>;
let verified: Ended;
let known: KnownValue[];
const at = (...args: string[]) => tipstaff(["--home", home, ...args]);

beforeAll(
  async () => {
    const args = ["--home", home, "demo", "--json", "--people", String(PEOPLE), "--seed", "journey"];
    demo = await tipstaff([...args, "--log-level", "trace"], { seconds: DEMO_SECONDS });
    if (demo.code !== 0) throw new Error(`demo ended with ${demo.code}:\n${demo.stderr}\n${lastLogLines()}`);
    report = reportSchema.parse(JSON.parse(demo.stdout));
    verified = await tipstaff(["--home", home, "--json", "ledger", "verify"]);
    known = readKnownValues(join(report.paths.extract, "extract.csv"));
  },
  (DEMO_SECONDS + 30) * 1000,
);
afterAll(() => rmSync(home, { recursive: true, force: true }));

function lastLogLines(): string {
  const logs = join(home, "logs");
  if (!existsSync(logs)) return "";
  return readdirSync(logs)
    .map((name) => `${name}: ${readFileSync(join(logs, name), "utf8").split("\n").slice(-6).join("\n")}`)
    .join("\n");
}

describe("the demonstration", () => {
  test("prints one JSON object on stdout and nothing else", () => {
    expect(demo.stdout.trim().split("\n")).toHaveLength(1);
  });

  test("imports everybody, and refuses the broken rows", () => {
    expect(report.people).toBe(PEOPLE);
    expect(report.rowsRefused).toBeGreaterThan(0);
    expect(report.photos).toBeGreaterThan(PEOPLE * 0.9);
  });

  test("never stores the columns that the register has no authority to hold", () => {
    const names = report.columnsNotStored.map(({ name }) => name).join("; ");
    for (const column of [/addr/i, /mobile/i, /salary/i, /NI/]) expect(names).toMatch(column);
    for (const { category } of report.columnsNotStored) expect(category).not.toBe("");
  });

  test("accounts for every card that was ordered", () => {
    const { ordered, produced, spoiled, received, inHouse } = report.cards;
    // A job that is on its way when a hold comes is withdrawn, and ordered again.
    expect(produced + spoiled).toBeLessThanOrEqual(ordered);
    expect(ordered - produced - spoiled).toBeLessThanOrEqual(16);
    expect(spoiled).toBeGreaterThanOrEqual(3);
    expect(received).toBeLessThanOrEqual(produced + spoiled);
    expect(received).toBeGreaterThanOrEqual(produced);
    expect(inHouse).toBeGreaterThanOrEqual(3);
    expect(produced + inHouse).toBeLessThanOrEqual(PEOPLE);
  });

  test("has one receipt for each job released, and a page for each card produced", () => {
    expect(report.receipts).toBe(report.cards.produced + report.cards.spoiled);
    expect(report.releases).toBeGreaterThanOrEqual(report.receipts);
    const pages = readdirSync(report.paths.cards).filter((name) => name.endsWith(".pdf"));
    expect(pages).toHaveLength(report.cards.produced);
  });

  test("trips the hold for the receipt that never came", () => {
    expect(report.holds.map(({ reason }) => reason)).toContain("receipt-overdue");
  });

  test("ends with a ledger that verifies, and zero people readable at every level drilled", () => {
    expect(report.ledger).toMatchObject({ verified: true });
    expect(report.ledger.size).toBeGreaterThan(report.releases + report.receipts);
    expect(report.drill.map(({ level }) => level)).toEqual([1, 2, 4]);
    for (const { people, ofPeople } of report.drill) {
      expect(people).toBe(0);
      expect(ofPeople).toBeGreaterThanOrEqual(PEOPLE);
    }
  });

  test("says how large the ledger is as it ends: `ledger verify` says the same", () => {
    expect(verified.code, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ size: report.ledger.size });
  });

  test("counts in its bars, not in the lines of its steps", () => {
    expect(demo.stderr).toMatch(/✓ Level 1: a thief who steals [^()]* backups \(/);
  });

  test("counts everybody exposed whose card was released, and no covert post", () => {
    const { exposure, cards } = report;
    expect(exposure.people).toBeGreaterThanOrEqual(cards.produced);
    expect(exposure.people).toBeLessThanOrEqual(PEOPLE - cards.inHouse);
    expect(exposure.personHoursInClear).toBe(exposure.personHours.digital.trusted);
    expect(exposure.personHours.digital.untrusted).toBeGreaterThanOrEqual(exposure.personHours.digital.trusted);
  });
});

describe("no personal value", () => {
  const where = (...folders: string[]) => filesBelow(...folders.map((folder) => join(home, folder)));

  test("stands in any log line, at trace", () => {
    // The import's log goes where its progress is shown.
    writeFileSync(join(home, "logs", "import.log"), demo.stderr.split("\n").filter(isLogLine).join("\n"));
    const files = where("logs");
    for (const [file, told] of Object.entries(TOLD_AT_DEBUG)) {
      const lines = readFileSync(join(home, "logs", file), "utf8")
        .split("\n")
        .filter(isLogLine);
      const detailed = lines.filter((line) => /^\{"level":(10|20),/.test(line)).join("\n");
      for (const words of told) expect(detailed, file).toContain(`"msg":"${words}"`);
    }
    expect(known.length).toBeGreaterThan(PEOPLE * 5);
    expect(searchText(files, home, known)).toEqual([]);
  });

  test("can stand in a line about a request: it tells the route's pattern, not the address", () => {
    const answered = ["desk.log", "bureau.log"].flatMap((file) =>
      readFileSync(join(home, "logs", file), "utf8")
        .split("\n")
        .filter((line) => line.includes('"msg":"answered"')),
    );
    const routes = answered.map((line) => answeredSchema.parse(JSON.parse(line)).route);
    expect(routes).toContain("/api/runs/:id/close");
    expect(routes).toContain("/v1/releases");
    for (const route of routes) expect(route).toMatch(/^(none|[a-z0-9/:*-]+)$/);
  });

  test("stands in what the demonstration says on stdout and stderr", () => {
    const said = `${demo.stdout}\n${demo.stderr}`;
    expect(known.filter(({ text, what }) => what === "full name" && said.includes(text))).toEqual([]);
  });

  test("stands in the order files, the bureau's store or the recorded wire", () => {
    const files = where("bureau", join("desk", "orders"), "wire");
    expect(files.length).toBeGreaterThan(3);
    expect(searchBytes(files, home, known)).toEqual([]);
  });

  test("stands in the force's database, ledger, openings or reports", () => {
    // The template database holds nothing of ours: what it shares with the extract are words of PostgreSQL itself.
    const template = searchBytes(where(join("postgres", "base", "1")), home, known);
    const theirs = new Set(template.map(({ row, what }) => `${row} ${what}`));
    const ours = known.filter(({ row, what }) => !theirs.has(`${row} ${what}`));
    expect(ours.length).toBeGreaterThan(known.length * 0.9);
    expect(searchBytes(where("postgres", "ledger", "reports", "agreements", "staff"), home, ours)).toEqual([]);
  });

  test("stands in a file name", () => {
    const names = where("bureau", "desk", "ledger", "reports", "logs", "printer").join("\n");
    expect(known.filter(({ text }) => holdsWord(names, text))).toEqual([]);
  });
});

describe("after the demonstration, with everything served again", () => {
  let served: Awaited<ReturnType<typeof serveAll>>;
  beforeAll(async () => {
    served = await serveAll(home);
  });
  afterAll(() => served.stop());

  const window = () => ["--from", new Date(Date.now() - 3_600_000).toISOString(), "--to", new Date().toISOString()];

  test("`demo` empties no home that is being served: exit 2, and everything goes on", async () => {
    const again = await at("demo", "--people", String(PEOPLE));
    expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/is being served; stop it first/)]);
    expect(existsSync(report.paths.cards)).toBe(true);
    expect((await at("--json", "bureau", "status")).code).toBe(0);
    expect((await at("--json", "keyholder", "status")).code).toBe(0);
  });

  test("`exposure` tells the same people as the demonstration did", async () => {
    const { code, stdout } = await at("--json", "exposure", "--recipient", "cardmaker", ...window());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ people: report.exposure.people });
  });

  test("`exposure` outside the window tells nobody, and a recipient that is none is refused or empty", async () => {
    const early = ["--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"];
    const { code, stdout } = await at("--json", "exposure", "--recipient", "cardmaker", ...early);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ people: 0 });
  });

  test("`exposure --csv` writes no cell that a spreadsheet would run", async () => {
    const { code, stdout } = await at("exposure", "--csv", "--recipient", "cardmaker", ...window());
    expect(code).toBe(0);
    expect(stdout.split("\n").length).toBeGreaterThan(report.exposure.people);
    expect(stdout).not.toMatch(/(^|,)"?[=+@]/m);
  });

  test("`disclosures declare` twice is declared once, stays apart from what is proved, and tells unknown people by line", async () => {
    const file = join(home, "former.csv");
    writeFileSync(file, "Pay No\nnobody-1\n");
    const terms = [
      "--recipient",
      "cardmaker",
      "--from",
      "2020-01-01",
      "--categories",
      "name,portrait",
      "--reason",
      "test",
    ];
    const nobody = await at("disclosures", "declare", ...terms, "--people", file);
    expect([nobody.code, nobody.stdout]).toEqual([1, expect.stringMatching(/lines 2\b/)]);
    expect(nobody.stdout + nobody.stderr).not.toContain("nobody-1");
    const numbers = readFileSync(join(report.paths.extract, "extract.csv"), "utf8").split("\n").slice(1, 4);
    writeFileSync(file, numbers.map((line) => `${line.split(",")[0]}\n`).join(""));
    for (const declared of [3, 0]) {
      const { code, stdout, stderr } = await at("--json", "disclosures", "declare", ...terms, "--people", file);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ people: 3, declared, already: 3 - declared });
    }
    const listed = JSON.parse((await at("--json", "disclosures", "list")).stdout);
    expect(listed.disclosures.map(({ recipient }: { recipient: string }) => recipient).sort()).toEqual([
      ...["cardmaker", "former-cardmaker"],
    ]);
    const told = await at("exposure", "--recipient", "cardmaker", ...window());
    expect(told.stdout).toMatch(/^ +3 {2}declared, unproven$/m);
    const { stdout } = await at("--json", "exposure", "--recipient", "cardmaker", ...window());
    expect(JSON.parse(stdout)).toMatchObject({ people: report.exposure.people, grades: { "declared, unproven": 3 } });
  });

  test("`exposure` with a window that ends before it begins is one clear error", async () => {
    const wrong = ["--from", "2026-02-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"];
    const { code, stderr } = await at("exposure", "--recipient", "cardmaker", ...wrong);
    expect([1, 2]).toContain(code);
    expect(stderr).toMatch(/^tipstaff: /m);
  });

  test("`drill` of a built level prints levels and exits 0; of one not built, exits 2 and says so", async () => {
    const built = await tipstaff(["--home", home, "--json", "drill", "--level", "1"], { seconds: 120 });
    expect(built.code).toBe(0);
    expect(JSON.parse(built.stdout)).toMatchObject({ levels: [{ level: 1, people: 0 }] });
    const unknown = await at("drill", "--known", join(home, "nowhere"));
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/--known FOLDER/)]);
    const unbuilt = await at("drill", "--level", "3");
    expect(unbuilt.code).toBe(2);
    expect(unbuilt.stderr).toMatch(/not built yet/);
  });

  test("`holds list`, `runs show`, `releases list`, `bureau status` and `keyholder status` answer JSON", async () => {
    for (const args of [
      ["holds", "list"],
      ["runs", "show"],
      ["releases", "list", "--waiting"],
      ["bureau", "status"],
      ["keyholder", "status"],
    ]) {
      const { code, stdout, stderr } = await at("--json", ...args);
      expect(code, `${args.join(" ")}: ${stderr}`).toBe(0);
      expect(JSON.parse(stdout)).toBeTypeOf("object");
    }
  });

  test("a login without the role is refused with exit 1, an unknown login with 2", async () => {
    const window = ["--recipient", "cardmaker", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"];
    expect((await at("--as", "front.desk", "exposure", ...window)).code).toBe(1);
    expect((await at("--as", "nobody.here", "exposure", ...window)).code).toBe(2);
  });
});

describe("offline", () => {
  test("`ledger verify` accepts the folder, and names the first index that does not fit", async () => {
    const sound = await at("--json", "ledger", "verify", report.ledger.path);
    expect(sound.code, sound.stderr).toBe(0);
    const copy = join(home, "tampered");
    cpSync(report.ledger.path, copy, { recursive: true });
    const [bundle = ""] = filesBelow(join(copy, "tile", "entries")).sort((a, b) => statSync(b).size - statSync(a).size);
    const bytes = readFileSync(bundle);
    // The second entry: every entry is of one size, and two bytes of length go before each.
    const at100 = bytes.readUInt16BE(0) + 2 + 100;
    bytes.writeUInt8(bytes.readUInt8(at100) ^ 1, at100);
    writeFileSync(bundle, bytes);
    const { code, stdout, stderr } = await at("ledger", "verify", copy);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/\b1\b/);
  });

  test.each([
    { args: ["frobnicate"] },
    { args: ["drill", "--level", "9"] },
    { args: ["demo", "--people", "0"] },
    { args: ["demo", "--people", "many"] },
    { args: ["exposure"] },
    { args: ["check", "HELLO"] },
    { args: ["inspect", "x", "--agreement", "y"] },
    { args: ["watch", "http://localhost", "--agreement", "y"] },
    { args: ["incident", "open"] },
    { args: ["ledger", "verify", "/nowhere"] },
    { args: ["people", "import", "/nowhere.csv"] },
    { args: ["agreement", "check", "/nowhere.yaml"] },
    { args: ["holds", "list"] },
  ])("`tipstaff $args` could not run: exit 2, one clear error, no stack", async ({ args }) => {
    const { code, stderr } = await at(...args);
    expect(code).toBe(2);
    expect(stderr.trim()).not.toBe("");
    expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
    expect(stderr).not.toMatch(/This is a defect/);
  });

  test("`init` refuses an installation that exists", async () => {
    const { code, stderr } = await at("init");
    expect(code).toBe(2);
    expect(stderr).toMatch(/holds an installation already/);
  });
});
