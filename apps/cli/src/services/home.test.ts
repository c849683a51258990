import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tipstaff-home-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs it where everything that is made would be open to everybody. */
function openHanded(script: string, ...args: string[]) {
  const command = ["-c", 'umask 0; exec "$0" "$@"', process.execPath, "--disable-warning=ExperimentalWarning", script];
  return spawnSync("sh", [...command, ...args], { encoding: "utf8" });
}

const opened = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => statSync(join(folder, name)).mode & 0o077,
  );

it("the bureau's files are its own user's alone, whatever it was started under", () => {
  const main = join(import.meta.dirname, "../../../bureau/src/main.ts");
  const place = ["--folder", join(folder, "bureau"), "--printer", join(folder, "printer")];
  const { status, stderr } = openHanded(main, "init", "--recipient", "cardmaker", ...place);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readdirSync(join(folder, "bureau")).length).toBeGreaterThan(2);
  expect(opened()).toEqual([]);
});

it("what the command writes is its own user's alone, whatever it was started under", () => {
  const main = join(import.meta.dirname, "../main.ts");
  const { status } = openHanded(main, "--home", join(folder, "home"), "--json", "exposure", "--recipient", "x");
  expect(status).not.toBe(0);
  const making = openHanded(main, "--home", join(folder, "home"), "init", "--force", "no/force");
  expect(making.status).not.toBe(0);
  expect(readdirSync(folder)).toEqual(["home"]);
  // Everybody may pass through the home itself, as the database's user must, and may not look into it.
  expect(statSync(join(folder, "home")).mode & 0o777).toBe(0o711);
  expect(opened().filter((name) => name !== "home")).toEqual([]);
});
