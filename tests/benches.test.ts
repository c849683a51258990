import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../bench/import.ts";
import type { Measurement } from "../bench/measure.ts";

const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url));

it("the bench of the import measures all that it names, each time against a floor of the same run", async () => {
  const measured: Measurement[] = [];
  for await (const measurement of run({ people: 60 })) measured.push(measurement);
  expect(measured.map(({ name }) => name)).toEqual([
    "import of 60 rows",
    "the same file again",
    "import of 60 photos",
    "peak memory of the importing process",
  ]);
  for (const { value, floor, unit } of measured) {
    expect(value).toBeGreaterThan(0);
    if (unit === "s") expect(floor).toBeGreaterThan(0);
  }
});

it.each([
  [["nothing"]],
  [["system", "--people", "999"]],
  [["ledger", "--verify-entries", "1"]],
  [["--people", "many"]],
])("a bench that cannot be run says what can: %j", (args) => {
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("names are import, ledger, system; --people a whole number from 1000");
});
