import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CRASH_RULES } from "./crash/invariants.ts";
import { type CrashReport, runCrashRounds } from "./crash-rounds.ts";

const ROUNDS = 50;
const PEOPLE = 160;
const SEED = "fifty rounds";
const folder = mkdtempSync(join(tmpdir(), "tipstaff-crash-"));
let report: CrashReport;

beforeAll(async () => {
  process.stderr.write(`crash rounds: ${ROUNDS}, seed ${JSON.stringify(SEED)}\n`);
  report = await runCrashRounds({ rounds: ROUNDS, seed: SEED, people: PEOPLE, folder });
}, 420_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`after ${ROUNDS} rounds of kill -9`, () => {
  test("the rounds printed cards, were watched, and met crashes that an operator had to look into", () => {
    expect(report.jobs).toBeGreaterThan(PEOPLE / 2);
    expect(report.samples).toBeGreaterThan(ROUNDS);
    // Which stage a kill meets is chance; that fifty of them met none at all would mean that nothing was going on.
    const { uncertain, holds, approved } = report.looked;
    const furtherAttempts = report.releases - report.jobs;
    expect(furtherAttempts).toBeGreaterThanOrEqual(0);
    expect(uncertain + holds.length + approved + furtherAttempts).toBeGreaterThan(0);
  });

  test.each(CRASH_RULES)("%s", (rule) => {
    const verdict = report.verdicts.find((candidate) => candidate.rule === rule);
    expect(verdict?.violations).toEqual([]);
  });
});
