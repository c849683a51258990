import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
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

async function runImport(file: string, token: string): Promise<{ code: number | null; stderr: string }> {
  const tokenFile = join(test.folder, "import.token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ["import", file, "--config", test.configFile, "--token-file", tokenFile];
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  return { code: await new Promise((resolve) => child.once("exit", resolve)), stderr };
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

it("an import is the act of whose token it was", async () => {
  expect(await runImport(writePeople(test.folder, people), tokenOf("hr.clerk"))).toMatchObject({ code: 0 });
  const changed = people.map((person) => ({ ...person, surname: "Married" }));
  expect(await runImport(writePeople(test.folder, changed), tokenOf("hr.clerk"))).toMatchObject({ code: 0 });
  const { entries } = journalSchema.parse(await test.console("journal", { from: 0, limit: 1000 }));
  const opened = entries.filter(({ what }) => what === "deks-opened");
  expect(opened.length).toBeGreaterThan(0);
  for (const { detail } of opened) expect(detail).toContain(test.as("hr.clerk").id);
});
