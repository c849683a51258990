import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBureau, runCommand, type Served, serve, serveProcess, type TestBureau } from "./test-bureau.ts";

const FAST = { patienceSeconds: 5 };
const PAGE = 4096;

let bureau: TestBureau;
const place = (...names: string[]) => join(bureau.folder, ...names);
const command = (port = 0) => runCommand("serve", "--folder", bureau.folder, "--port", String(port));
/** Serves while `work` runs, and ends in order. */
async function serving<T>(work: (served: Served) => Promise<T>, start = serve): Promise<T> {
  const served = await start(bureau);
  try {
    return await work(served);
  } finally {
    await served.stop();
  }
}
const order = (jobs: number) => {
  const made = bureau.force.addOrder(jobs);
  bureau.force.openRun(made.order);
  return made;
};

beforeAll(async () => {
  bureau = await createTestBureau({ lines: 3 });
  order(6);
  await serving((served) => served.post("/print", FAST));
});
afterAll(() => bureau?.remove());

const refusal = (): Promise<string> =>
  serve(bureau).then(
    () => Promise.reject(new Error("it started")),
    (error: Error) => error.message,
  );
const agreement = () => {
  const name = readdirSync(place("agreements")).find((file) => file.endsWith(".yaml"));
  if (name === undefined) throw new Error("no agreement is pinned");
  return join("agreements", name);
};
const overwrite = (file: string, from: number, to: number) => {
  const bytes = readFileSync(place(file));
  writeFileSync(place(file), bytes.fill(0xff, from, to));
};
const wipe = (file: string) => writeFileSync(place(file), "");

const DAMAGE: readonly [string, () => string, (file: string) => void][] = [
  ["store that is gone", () => "bureau.db", (file) => rmSync(place(file))],
  ["store that is empty", () => "bureau.db", wipe],
  ["store of other bytes", () => "bureau.db", (file) => writeFileSync(place(file), Buffer.alloc(3 * PAGE, 7))],
  ["store that is cut short", () => "bureau.db", (file) => truncateSync(place(file), 5 * PAGE + 100)],
  ["store with pages overwritten", () => "bureau.db", (file) => overwrite(file, 3 * PAGE, 6 * PAGE)],
  ["requests key that is gone", () => "keys/requests.key", (file) => rmSync(place(file))],
  ["receipts key that is gone", () => "keys/receipts.key", (file) => rmSync(place(file))],
  ["agreement key that is gone", () => "keys/agreement.key", (file) => rmSync(place(file))],
  ["key that is empty", () => "keys/requests.key", wipe],
  ["key that others can read", () => "keys/requests.key", (file) => chmodSync(place(file), 0o640)],
  ["token that is gone", () => "token", (file) => rmSync(place(file))],
  ["token that is empty, and would let in everybody", () => "token", wipe],
  ["token that others can read", () => "token", (file) => chmodSync(place(file), 0o644)],
  ["pins that are cut short", () => "pins.json", (file) => truncateSync(place(file), 40)],
  ["settings that are cut short", () => "bureau.json", (file) => truncateSync(place(file), 40)],
  ["agreement whose signatures are gone", () => `${agreement()}.sig`, (file) => rmSync(place(file))],
  ["agreement that was changed", agreement, (file) => writeFileSync(place(file), `${readFileSync(place(file))}\n`)],
];

describe("a bureau does not start, names the file in one line, and starts again once it is put back, with a", () => {
  it.each(DAMAGE)("%s", async (_what, fileOf, damage) => {
    const file = fileOf();
    const copy = join(bureau.root, "copy");
    cpSync(place(file), copy, { preserveTimestamps: true });
    damage(file);
    const message = await refusal();
    expect(message).toMatch(/^[^\n]+$/);
    expect(message).toContain(place(file).replace(/\.sig$/, ""));
    rmSync(place(file), { force: true });
    cpSync(copy, place(file));
    chmodSync(place(file), 0o600);
    expect(await serving((served) => served.get("/status"))).toMatchObject({ jobs: { produced: 6 }, alarms: [] });
  });

  it("key of another bureau's", async () => {
    const key = place("keys", "requests.key");
    const own = readFileSync(key);
    writeFileSync(key, `${Buffer.alloc(32, 7).toString("base64")}\n`);
    expect(await refusal()).toMatch(/not this bureau's keys/);
    writeFileSync(key, own);
  });

  it("folder without an agreement, under which any limit would do", async () => {
    const copy = join(bureau.root, "agreements");
    cpSync(place("agreements"), copy, { recursive: true });
    for (const name of readdirSync(copy)) rmSync(place("agreements", name));
    expect(await refusal()).toMatch(/agreements is empty/);
    cpSync(copy, place("agreements"), { recursive: true });
  });
});

describe("bureau serve", () => {
  it("ends with exit code 2 and that one line, and nothing on stdout", async () => {
    const copy = join(bureau.root, "copy");
    cpSync(place("bureau.db"), copy);
    writeFileSync(place("bureau.db"), Buffer.alloc(3 * PAGE, 7));
    const { code, stdout, stderr } = await command();
    cpSync(copy, place("bureau.db"));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^bureau: \S+bureau\.db is damaged \([^\n]+\n$/);
  });

  it("ends when its port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const { code, stderr } = await command(typeof address === "object" ? address?.port : undefined);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(/^bureau: .*EADDRINUSE/m);
  });

  it("refuses a folder that another bureau serves, whose cards go on as if nothing had been", async () => {
    const jobs = new Set<string>(order(30).jobs);
    await serving(async (served) => {
      const printing = served.post("/print", { patienceSeconds: 20 });
      const second = await command();
      expect(second.code).toBe(2);
      expect(second.stderr).toMatch(/^bureau: Another process works on .*bureau\.db\. End it first\n$/);
      expect(await printing).toMatchObject({ produced: 30, uncertain: 0 });
      expect((await served.get("/status")).alarms).toEqual([]);
    }, serveProcess);
    expect(bureau.force.released.filter(({ job }) => jobs.has(job))).toHaveLength(30);
    expect(bureau.force.unexpected).toEqual([]);
  });

  it("takes no blank a second time when an older copy of its store was put back", async () => {
    const old = join(bureau.root, "old.db");
    cpSync(place("bureau.db"), old);
    const { jobs } = order(4);
    await serving((served) => served.post("/print", FAST));
    cpSync(old, place("bureau.db"));
    const before = bureau.pages();
    // The force's chain has moved on without this store, so its lines are restarted by people.
    for (const line of ["line-01", "line-02", "line-03"]) bureau.force.chains.delete(line);
    const next = order(3);
    await serving(async (served) => {
      for (const { line, chain } of await chains()) bureau.force.chains.set(line, chain);
      const summary = await served.post("/print", FAST);
      expect(summary).toMatchObject({ produced: 3, uncertain: 0, refused: { "already-answered": 4 } });
    });
    expect(bureau.pages()).toEqual(expect.arrayContaining(before));
    expect(bureau.pages()).toHaveLength(before.length + 3);
    for (const job of [...jobs, ...next.jobs]) expect(bureau.force.jobs.get(job)?.receipt).toBeDefined();
  });
});

/** The chain values in the copy of the store. */
async function chains(): Promise<{ line: string; chain: string }[]> {
  const { DatabaseSync } = await import("node:sqlite");
  const copy = new DatabaseSync(join(bureau.root, "old.db"), { readOnly: true });
  const rows = copy.prepare("select line, chain from lines").all();
  copy.close();
  return rows.map(({ line, chain }) => ({ line: String(line), chain: String(chain) }));
}
