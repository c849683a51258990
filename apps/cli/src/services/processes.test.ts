import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bureauApi, openHome, readSettings } from "./installation.ts";
import { startApp } from "./processes.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tip-processes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("startApp() tells why an app did not start in the app's own words, and none of an earlier start", async () => {
  const log = join(folder, "bureau.log");
  writeFileSync(log, "bureau: an earlier fault\n");
  const place = join(folder, "nobody");
  await expect(startApp("bureau", ["serve", "--folder", place], log)).rejects.toThrow(
    `The bureau did not start: There is no bureau in ${place}. Run: bureau init.`,
  );
  appendFileSync(log, "the rest\n");
  expect(readFileSync(log, "utf8")).toMatch(/^bureau: an earlier fault\nbureau: There is no bureau in .*\nthe rest\n$/);
});

it.each(["", "{", '{"version":1'])(
  "readSettings() refuses settings that are cut short to %j, by their file's name",
  (text) => {
    const home = openHome(folder);
    writeFileSync(home.settingsFile, text);
    expect(() => readSettings(home)).toThrow(`${home.settingsFile} does not fit: the whole.`);
  },
);

it("bureauApi() names the token's file where it is gone", () => {
  const settings = {
    version: 2,
    ...{ force: "f", recipient: "r", logVerifierKey: "l", forceVerifierKey: "k" },
    ports: { postgres: 1, desk: 2, bureau: 3 },
  } as const;
  const home = openHome(folder);
  expect(() => bureauApi(home, settings)).toThrow(join(home.bureau, "token"));
});
