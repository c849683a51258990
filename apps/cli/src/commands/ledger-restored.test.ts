import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CliError } from "../cli-error.ts";
import { registerLedgerRestored } from "./ledger-restored.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tipstaff-restored-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const release = {
  ...{ index: 4, operation: "ab".repeat(32), recipient: "cardmaker", order: "order-1", job: "job-1", attempt: 2 },
  at: "2026-03-01T09:30:00.000Z",
};
const reportOf = (id: string, day = 2) => ({
  ...{ id, at: `2026-03-${String(day).padStart(2, "0")}T00:00:00.000Z`, fromSize: 3, toSize: 9, entries: 6 },
  released: [release],
  undecided: [],
  unopened: [{ index: 5, operation: "cd".repeat(32), released: true }],
  counts: { raised: 7, withoutKeys: ["person-1"] },
  rebuilt: {
    ...{ releases: 2, jobs: 1, receipts: 1, scanned: 1, cards: 1, lines: 2 },
    ...{ approvals: 0, runsClosed: 1, holdsPlaced: 1, holdsLifted: 0, erased: 3, disclosures: 4 },
    ...{ stubs: ["job-9"], unplaced: [], uncounted: ["job-1"], notRebuilt: { imported: 1, "order-sealed": 2 } },
  },
});
const put = (name: string, content: unknown) => {
  mkdirSync(join(home, "reports"), { recursive: true });
  writeFileSync(join(home, "reports", name), JSON.stringify(content));
};

const run = async (...args: string[]): Promise<string> => {
  const program = new Command("tipstaff").option("--home <dir>").option("--json").exitOverride();
  registerLedgerRestored(program);
  let said = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  try {
    await program.parseAsync(["--home", home, ...args], { from: "user" });
    return said;
  } finally {
    out.mockRestore();
  }
};

describe("tipstaff ledger restored", () => {
  test("says of the last report what was rebuilt, and lists releases by job and attempt, unopened entries by index", async () => {
    put("restore-9.json", reportOf("9", 1));
    put("restore-10.json", reportOf("10"));
    put("restore-11.json.part", {});
    expect(await run("restored")).toBe(
      [
        "Restore 10, 2026-03-02T00:00:00.000Z: entries 3 to 8 came back from the folder.",
        "Rebuilt from the log: 2 releases, 1 receipts, 1 cards scanned in; 1 jobs moved, 1 cards changed, 2 lines' chains set.",
        "What people had decided: 1 runs closed, 0 attempts approved, 1 holds placed, 0 lifted, 3 people erased, 4 disclosures declared.",
        "1 jobs that the register does not know, counted and never released again:",
        "  job-9",
        "0 releases whose line nobody knows; such a line stops at its next request.",
        "1 jobs whose receipt the keyholder has not counted, and must be sent again:",
        "  job-1",
        "3 entries of which nothing comes back by itself:",
        "  1 imported",
        "  2 order-sealed",
        "1 releases that the database had forgotten:",
        "  job job-1, attempt 2, to cardmaker, 2026-03-01T09:30:00.000Z (entry 4)",
        "0 releases that the keyholder had not decided, cancelled by it since.",
        "1 entries that cannot be opened, each a possible exposure:",
        "  entry 5, released",
        "7 people's counts of entries were raised to the log's.",
        "1 people of the register have no keys any more:",
        "  person-1",
        "",
      ].join("\n"),
    );
    expect(JSON.parse(await run("--json", "restored", "9"))).toEqual(reportOf("9", 1));
  });

  test("takes the last restore by its time, where an old backup brought back a number, and shows each by its name", async () => {
    put("restore-1.json", reportOf("1", 1));
    put("restore-2.json", reportOf("2", 2));
    put("restore-1-2.json", reportOf("1", 3));
    expect(JSON.parse(await run("--json", "restored"))).toEqual(reportOf("1", 3));
    expect(JSON.parse(await run("--json", "restored", "1"))).toEqual(reportOf("1", 1));
    expect(JSON.parse(await run("--json", "restored", "1-2"))).toEqual(reportOf("1", 3));
    put("restore-1-1.json", reportOf("1", 4));
    expect(JSON.parse(await run("--json", "restored"))).toEqual(reportOf("1", 3));
  });

  test("refuses where there is none, or not that one", async () => {
    await expect(run("restored")).rejects.toThrow(CliError);
    put("restore-1.json", reportOf("1"));
    for (const asked of ["2", "01", "../restore-1"]) await expect(run("restored", asked)).rejects.toThrow(CliError);
  });
});
