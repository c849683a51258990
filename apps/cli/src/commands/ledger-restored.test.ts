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
const reportOf = (id: string) => ({
  ...{ id, at: "2026-03-02T00:00:00.000Z", fromSize: 3, toSize: 9, entries: 6 },
  released: [release],
  undecided: [],
  unopened: [{ index: 5, operation: "cd".repeat(32), released: true }],
  counts: { raised: 7, withoutKeys: ["person-1"] },
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
  test("lists the last report: releases by job and attempt, unopened entries by index", async () => {
    put("restore-9.json", reportOf("9"));
    put("restore-10.json", reportOf("10"));
    put("restore-11.json.part", {});
    expect(await run("restored")).toBe(
      [
        "Restore 10, 2026-03-02T00:00:00.000Z: entries 3 to 8 came back from the folder.",
        "1 releases that the database had forgotten:",
        "  job job-1, attempt 2, to cardmaker, 2026-03-01T09:30:00.000Z (entry 4)",
        "0 releases of which the keyholder keeps no decision.",
        "1 entries that cannot be opened, each a possible exposure:",
        "  entry 5, released",
        "7 people's counts of entries were raised to the log's.",
        "1 people of the register have no keys any more:",
        "  person-1",
        "",
      ].join("\n"),
    );
    expect(JSON.parse(await run("--json", "restored", "9"))).toEqual(reportOf("9"));
  });

  test("refuses where there is none, or not that one", async () => {
    await expect(run("restored")).rejects.toThrow(CliError);
    put("restore-1.json", reportOf("1"));
    for (const asked of ["2", "01", "../restore-1"]) await expect(run("restored", asked)).rejects.toThrow(CliError);
  });
});
