import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { examplePerson, writePeople, writePhoto } from "./example-extract.ts";
import { importCommand } from "./import-command.ts";
import { readPeople } from "./register.ts";
import { settleImportsAtStart } from "./settle-imports.ts";
import { makeArchive } from "./test-zip.ts";

const PEOPLE = 3_000;
const PHOTOS = 40;
let desk: TestDesk;
let file: string;
let photos: string;
let script: string;

beforeAll(async () => {
  desk = await startTestDesk();
  const folder = mkdtempSync(join(desk.folder, "files-"));
  file = writePeople(
    folder,
    Array.from({ length: PEOPLE }, (_, n) => examplePerson(n)),
  );
  await writePhoto(join(folder, "one.jpg"));
  const content = readFileSync(join(folder, "one.jpg"));
  const entries = Array.from({ length: PHOTOS }, (_, n) => ({ name: `${examplePerson(n * 5).pay}.jpg`, content }));
  photos = join(folder, "photos.zip");
  writeFileSync(photos, makeArchive(entries));
  script = join(folder, "import.ts");
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  writeFileSync(
    script,
    `import { composeDesk } from ${at("../compose.ts")};
     import { readConfig } from ${at("../config.ts")};
     import { importCommand } from ${at("./import-command.ts")};
     const { desk, close } = await composeDesk(readConfig(${JSON.stringify(desk.configFile)}));
     const onProgress = ({ phase }) => process.stdout.write(phase + "\\n");
     await importCommand(desk, { file: ${JSON.stringify(file)}, photos: ${JSON.stringify(photos)}, onProgress });
     await close();`,
  );
}, 60_000);
afterAll(async () => {
  await desk.stop();
});

const count = async (what: string): Promise<number> => {
  const { rows } = await desk.desk.pool.query<{ n: number }>(`select count(*)::int n from ${what}`);
  return rows[0]?.n ?? -1;
};

/** Starts an import in a process of its own and kills it so long after its first word of `phase`. */
async function killImport(phase: string, afterMs: number): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const begun = new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => chunk.includes(phase) && resolve());
  });
  await Promise.race([begun, gone]);
  await sleep(afterMs);
  child.kill("SIGKILL");
  await gone;
}

describe("an import with photos from an archive that is killed", () => {
  test.each([
    ["reading", 5],
    ["writing", 0],
    ["writing", 60],
  ])(
    "while %s (+ %i ms) leaves nothing half imported",
    async (phase, afterMs) => {
      await killImport(phase, afterMs);
      // The server notices a dead client a moment later.
      for (let tries = 0; tries < 100 && (await count("pg_locks where locktype = 'advisory'")) > 1; tries += 1)
        await sleep(50);
      expect([0, PEOPLE]).toContain(await count("person"));
      await settleImportsAtStart(desk.desk);
      expect(await count("import where state = 'running' or not roots_settled")).toBe(0);
    },
    120_000,
  );

  test("is finished by the same command", async () => {
    const report = await importCommand(desk.desk, { file, photos });
    expect(report.added + report.unchanged).toBe(PEOPLE);
    expect(report).toMatchObject({ photos: PHOTOS, photoFaults: 0 });
    expect(await count("person")).toBe(PEOPLE);
    expect(await count("person where portrait is not null")).toBe(PHOTOS);
    await desk.restartKeyholder();
    await desk.console("budget/raise", { openings: PEOPLE, reason: "test" });
    const { rows } = await desk.desk.pool.query<{ id: string }>("select id from person");
    const reading = { purpose: "drill", reference: "test", actor: desk.as("hr.clerk").id } as const;
    const people = await readPeople(
      desk.desk,
      rows.map(({ id }) => id),
      reading,
    );
    expect(people.filter((person) => person !== null)).toHaveLength(PEOPLE);
  }, 120_000);
});
