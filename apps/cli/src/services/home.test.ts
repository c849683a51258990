import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeHomeFolder } from "./home.ts";
import { initInstallation, openHome } from "./installation.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync("/var/tmp/tip-home-");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (place: string) => (statSync(place).mode & 0o777).toString(8);

it("makeHomeFolder() lets others pass through all that it makes, and read none of it", () => {
  const mask = process.umask(0o077);
  try {
    makeHomeFolder(join(folder, "above", "home"));
  } finally {
    process.umask(mask);
  }
  expect([modeOf(join(folder, "above")), modeOf(join(folder, "above", "home"))]).toEqual(["711", "711"]);
  expect(modeOf(folder)).toBe("700");
});

it("a new installation never takes over the database of a home that is gone", async () => {
  const home = openHome(join(folder, "home"));
  mkdirSync(home.postgres, { recursive: true });
  await expect(initInstallation(home.root, { force: "f", recipient: "r" })).rejects.toThrow(/is gone/);
  rmSync(home.postgres, { recursive: true });
});
