import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "./database/test-desk.ts";
import type { TestLogin } from "./database/test-staff.ts";
import { examplePerson, writePeople } from "./people/example-extract.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const journalSchema = z.object({ entries: z.array(z.object({ what: z.string(), detail: z.string() })) });
let test: TestDesk;

beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

type Ended = { code: number | null; stdout: string; stderr: string };

async function runImport(file: string, token: string, more: readonly string[] = []): Promise<Ended> {
  const tokenFile = join(test.folder, "import.token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ["import", file, "--config", test.configFile, "--token-file", tokenFile, ...more];
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      said[name] += chunk.toString("utf8");
    });
  }
  return { code: await new Promise((resolve) => child.once("close", resolve)), ...said };
}
const tokenOf = (login: TestLogin) => test.as(login).token;
const people = Array.from({ length: 5 }, (_, at) => examplePerson(at + 1));
const countPeople = async () => (await test.desk.pool.query("select count(*)::int n from person")).rows[0]?.n;

it("an import by whoever may not, or by nobody's token, imports nothing", async () => {
  const file = writePeople(test.folder, people);
  expect(await runImport(file, tokenOf("cards.clerk"))).toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining("do not allow an import") },
  });
  const nobody = await runImport(file, "A".repeat(43));
  expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining("no member of staff") });
  expect(nobody.stderr).not.toContain("AAAA");
  expect(await countPeople()).toBe(0);
});

it("an import that is refused names the files that it tells of", async () => {
  const token = tokenOf("hr.clerk");
  const empty = join(test.folder, "empty.csv");
  writeFileSync(empty, "");
  expect((await runImport(empty, token)).stderr).toContain(`desk: ${empty}: The extract is empty. [bad-file]`);
  const file = writePeople(test.folder, people);
  const photos = await runImport(file, token, ["--photos", join(test.folder, "nowhere")]);
  expect(photos.stderr).toContain(`desk: ${file}, ${join(test.folder, "nowhere")}: The photos cannot be read`);
  expect([photos.code, await countPeople()]).toEqual([2, 0]);
});

it("a dry run tells faults in words: rows by line and the extract's own header, a photo of nobody by its place", async () => {
  const photos = mkdtempSync(join(test.folder, "photos-"));
  writeFileSync(join(photos, "99999999.jpg"), "no picture");
  const twice = writePeople(test.folder, [...people, examplePerson(1)]);
  const args = ["--photos", photos, "--dry-run"];
  const { code, stdout } = await runImport(twice, tokenOf("hr.clerk"), args);
  expect(code).toBe(1);
  expect(stdout.split("\n")).toEqual(
    expect.arrayContaining([
      "  line 2, Pay No: twice in file",
      "  line 7, Pay No: twice in file",
      "  photo file 1 by name: photo of nobody",
    ]),
  );
  const json = await runImport(twice, tokenOf("hr.clerk"), [...args, "--json"]);
  expect(JSON.parse(json.stdout).faults).toContainEqual({
    ...{ line: null, column: "photo file 1 by name", reason: "photo-of-nobody" },
  });
});

it("an import is the act of whose token it was", async () => {
  expect(await runImport(writePeople(test.folder, people), tokenOf("hr.clerk"))).toMatchObject({ code: 0 });
  const changed = people.map((person) => ({ ...person, surname: "Married" }));
  expect(await runImport(writePeople(test.folder, changed), tokenOf("hr.clerk"))).toMatchObject({ code: 0 });
  const { entries } = journalSchema.parse(await test.console("journal", { from: 0, limit: 1000 }));
  const opened = entries.filter(({ what }) => what === "deks-opened");
  expect(opened.length).toBeGreaterThan(0);
  for (const { detail } of opened) expect(detail).toContain(test.as("hr.clerk").id);
});
