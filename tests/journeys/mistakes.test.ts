import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AppProcess,
  type Home,
  initInstallation,
  startKeyholder,
} from "../../apps/cli/src/services/installation.ts";
import { type Ended, tipstaff } from "./command-line.ts";

const EXAMPLE = join(
  dirname(fileURLToPath(import.meta.url)),
  ...["..", "..", "examples", "agreements", "card-contractor.yaml"],
);
const folder = mkdtempSync(join(tmpdir(), "tipstaff-mistakes-"));
const here = (name: string) => join(folder, name);
const told = z.looseObject({ error: z.string().min(1), advice: z.string() });
let home: Home;

/** An installation that exists, and of which nothing is running. */
beforeAll(async () => {
  ({ home } = await initInstallation(here("home"), { force: "exampleshire-police", recipient: "cardmaker" }));
  const databaseUrl = `postgres://desk@localhost/desk?host=${encodeURIComponent(folder)}`;
  writeFileSync(home.deskConfig, JSON.stringify({ databaseUrl }));
  for (const login of ["hr.clerk", "security.one", "cards.clerk"])
    writeFileSync(join(home.staff, `${login}.token`), "x");
  writeFileSync(here("people.csv"), "");
  copyFileSync(EXAMPLE, here("agreement.yaml"));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const type = (...args: string[]): Promise<Ended> => tipstaff(["--home", home.root, ...args]);

describe("an ordinary mistake is told in one line with what to do, exits 2, and is no defect", () => {
  test.each<[string, () => string[], RegExp]>([
    ["no such agreement", () => ["agreement", "activate", here("none.yaml")], /none\.yaml cannot be read/],
    [
      "no signatures beside it",
      () => ["agreement", "activate", here("agreement.yaml")],
      /agreement\.yaml\.sig cannot be read.*\n.*agreement sign/,
    ],
    ["nothing to pin", () => ["keyholder", "allow", "agreement", "/nonexistent"], /\/nonexistent cannot be read/],
    ["no policy to pin", () => ["keyholder", "allow", "witnesses", "/nonexistent"], /\/nonexistent cannot be read/],
    ["fsck while nothing is served", () => ["ledger", "fsck"], /database does not answer.*\n.*tipstaff serve/],
    [
      "import while nothing is served",
      () => ["people", "import", here("people.csv")],
      /database does not answer.*\n.*tipstaff serve/,
    ],
    ["the desk's question while it is not served", () => ["holds", "list"], /desk does not answer.*\n.*tipstaff serve/],
    ["the bureau's question before it has a token", () => ["bureau", "status"], /token is gone, or cannot be read/],
    [
      "the keyholder's question while it is not served",
      () => ["keyholder", "status"],
      /does not answer.*\n.*tipstaff serve/,
    ],
    ["an app that is not built", () => ["serve", "checker"], /serve checker is not built yet/],
    ["nobody to request a card for", () => ["cards", "request"], /No people are named.*\n.*people find/],
    ["a number that is none", () => ["runs", "open", "x", "--jobs", "many"], /whole number is required/],
  ])("%s", async (_what, args, words) => {
    const { code, stdout, stderr } = await type(...args());
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/defect|\n\s+at /);
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe("with --json the error stands on stdout, as one object", () => {
  test.each<[string, () => string[]]>([
    ["a command that is not known", () => ["nonsense", "--json"]],
    ["an option that is missing", () => ["--json", "exposure"]],
    ["a command that is missing", () => ["people", "--json"]],
    ["an import while nothing is served", () => ["people", "import", here("people.csv"), "--json"]],
    ["a file that is not there", () => ["agreement", "check", "/nonexistent", "--json"]],
  ])("%s", async (_what, args) => {
    const { code, stdout } = await type(...args());
    expect(told.parse(JSON.parse(stdout)).error).not.toMatch(/^error: |outputHelp/);
    expect(code).toBe(2);
  });
});

describe("agreement check", () => {
  test("names, to programs, each fault by line, key, what is expected and what was found", async () => {
    const faulty = readFileSync(EXAMPLE, "utf8")
      .replace("version: 1", "version: none")
      .replace(/^purpose:.*$/m, "porpoise: x");
    writeFileSync(here("faulty.yaml"), faulty);
    const { code, stdout } = await type("agreement", "check", here("faulty.yaml"), "--json");
    const { faults } = z.looseObject({ faults: z.array(z.record(z.string(), z.unknown())) }).parse(JSON.parse(stdout));
    expect(code).toBe(2);
    expect(faults.length).toBeGreaterThanOrEqual(2);
    expect(faults).toContainEqual({
      line: expect.any(Number),
      key: "version",
      expected: expect.any(String),
      found: "text",
    });
  });

  test("refuses a file whose lines end with CR LF: nobody could sign it", async () => {
    writeFileSync(here("windows.yaml"), readFileSync(EXAMPLE, "utf8").replaceAll("\n", "\r\n"));
    const { code, stderr } = await type("agreement", "check", here("windows.yaml"));
    expect(stderr).toMatch(/windows\.yaml:1: expected .*LF.*; found a carriage return/);
    expect(code).toBe(2);
    expect((await type("agreement", "check", EXAMPLE)).code).toBe(0);
  });
});

describe("agreement sign", () => {
  let keyholder: AppProcess;
  beforeAll(async () => {
    keyholder = await startKeyholder(home);
  }, 90_000);
  afterAll(() => keyholder?.stop());

  test("done twice leaves one signature, and after a change of the text too", async () => {
    const file = here("signed.yaml");
    copyFileSync(EXAMPLE, file);
    const sign = () => type("agreement", "sign", file);
    const lines = () => readFileSync(`${file}.sig`, "utf8").split("\n");
    expect((await sign()).stdout).toMatch(/^signed: /);
    const first = lines();
    const again = await sign();
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^signed already: /)]);
    expect(lines()).toEqual(first);
    writeFileSync(file, `${readFileSync(file, "utf8")}# another text\n`);
    expect((await sign()).stdout).toMatch(/gave way/);
    expect(lines()).toHaveLength(first.length);
    expect(lines()).not.toEqual(first);
  });

  test("signs nothing where the file could not be read as an agreement", async () => {
    writeFileSync(here("empty.yaml"), "");
    expect((await type("agreement", "sign", here("empty.yaml"))).code).toBe(2);
    expect(existsSync(here("empty.yaml.sig"))).toBe(false);
  });

  test("is not enough to pin it: the keyholder's no exits 1", async () => {
    const { code, stderr } = await type("keyholder", "allow", "agreement", here("signed.yaml"));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not pinned: /)]);
  });
});
