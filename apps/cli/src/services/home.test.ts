import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createNoteSigner } from "@tipstaff/ledger";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeHomeFolder, originOf, readSettings, writeSettings } from "./home.ts";
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

it("a home of an older Tipstaff, whose log no witness can know, is told apart from a damaged one", () => {
  const home = openHome(folder);
  const of = (version: number) =>
    writeFileSync(home.settingsFile, JSON.stringify({ version, origin: "f.example/log" }));
  of(1);
  expect(() => readSettings(home)).toThrow(/made by an older Tipstaff/);
  of(2);
  expect(() => readSettings(home)).toThrow(/does not fit/);
});

it("the log's origin is its key's name, and stands nowhere else in the settings", () => {
  const home = openHome(folder);
  const { verifierKey } = createNoteSigner("police.example/log", new Uint8Array(32));
  const ports = { postgres: 1, desk: 2, bureau: 3 };
  const named = { force: "f", recipient: "r", logVerifierKey: verifierKey, forceVerifierKey: "" };
  writeSettings(home, { version: 2, ports, ...named });
  expect(originOf(readSettings(home))).toBe("police.example/log");
  writeFileSync(home.settingsFile, JSON.stringify({ version: 2, ports, ...named, origin: "other.example/log" }));
  expect(() => readSettings(home)).toThrow(/does not fit/);
});
