import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createTestBureau, type Served, serve, type TestBureau } from "../test-bureau.ts";

const FAST = { patienceSeconds: 10 };
const open: { bureau?: TestBureau; served?: Served } = {};
afterEach(async () => {
  await open.served?.stop();
  await open.bureau?.remove();
});

async function establish(...orders: number[]) {
  const bureau = await createTestBureau({ lines: 2 });
  open.bureau = bureau;
  const made = orders.map((jobs) => bureau.force.addOrder(jobs));
  for (const { order } of made) bureau.force.openRun(order);
  const served = await serve(bureau);
  open.served = served;
  const fileOf = (order: string) => join(bureau.folder, "orders", `${order}.order`);
  return { bureau, served, made, fileOf, orderFiles: () => readdirSync(join(bureau.folder, "orders")) };
}

type Force = TestBureau["force"];
const replace = (force: Force, order: string, change: (file: Buffer) => Buffer) =>
  force.orders.set(order, change(Buffer.from(force.orders.get(order) ?? Buffer.alloc(0))));
const ofJobs =
  (change: (job: object, at: number) => object) =>
  (manifest: { readonly jobs: readonly object[] }): object => ({ ...manifest, jobs: manifest.jobs.map(change) });

const FORGERIES: readonly [string, RegExp, (force: Force, order: string) => unknown][] = [
  ["is cut short", /cut short/, (force, order) => replace(force, order, (file) => file.subarray(0, -1))],
  [
    "is cut short in its first line",
    /first two lines/,
    (force, order) => replace(force, order, (f) => f.subarray(0, 99)),
  ],
  [
    "is empty after its head",
    /cut short/,
    (force, order) => replace(force, order, (f) => f.subarray(0, f.indexOf("\n", f.indexOf("\n") + 1) + 1)),
  ],
  [
    "has a byte of a ciphertext changed",
    /a ciphertext is not/,
    (force, order) => replace(force, order, (file) => file.fill(1, file.length - 9, file.length - 8)),
  ],
  [
    "has its manifest changed",
    /not signed by the pinned force/,
    (force, order) =>
      replace(force, order, (file) =>
        Buffer.from(file.toString("latin1").replace('"version":1', '"version": 1'), "latin1"),
      ),
  ],
  [
    "is signed by somebody else",
    /not signed by the pinned force/,
    (force, order) => force.rewriteOrder(order, (manifest) => manifest, force.log),
  ],
  [
    "is for another recipient",
    /for somebody else/,
    (force, order) => force.rewriteOrder(order, (manifest) => ({ ...manifest, recipient: "other-cards" })),
  ],
  [
    "is another order's",
    /another order's/,
    (force, order) => force.rewriteOrder(order, (manifest) => ({ ...manifest, order: randomUUID() })),
  ],
  [
    "is under another agreement",
    /not pinned here/,
    (force, order) => force.rewriteOrder(order, (manifest) => ({ ...manifest, agreement: "cd".repeat(32) })),
  ],
  [
    "holds a category that nobody agreed to",
    /does not allow/,
    (force, order) =>
      force.rewriteOrder(
        order,
        ofJobs((job) => ({ ...job, categories: ["tip:VettingLevel"] })),
      ),
  ],
  [
    "names a job twice",
    /twice/,
    (force, order) =>
      force.rewriteOrder(order, ({ jobs, ...rest }) => ({
        ...rest,
        jobs: jobs.map((job) => ({ ...job, job: jobs[0]?.job })),
      })),
  ],
  [
    "has two jobs in one place",
    /share bytes/,
    (force, order) =>
      force.rewriteOrder(
        order,
        ofJobs((job) => ({ ...job, offset: 0 })),
      ),
  ],
];

describe("fetchOrders() takes the other orders, keeps nothing of one, and takes it when it is right, that", () => {
  it.each(FORGERIES)("%s", async (_what, words, forge) => {
    const { bureau, served, made, orderFiles } = await establish(2, 3);
    const [bad = { order: "" }, good = { order: "" }] = made;
    const genuine = Buffer.from(bureau.force.orders.get(bad.order) ?? "");
    forge(bureau.force, bad.order);
    const { status, json } = await served.call("POST", "/fetch", {});
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json.title).toMatch(words);
    expect(json.title).toContain(bad.order);
    expect(orderFiles()).toEqual([`${good.order}.order`]);
    expect(await served.get("/status")).toMatchObject({ jobs: { fetched: 3 }, orders: [{ order: good.order }] });
    bureau.force.orders.set(bad.order, genuine);
    expect(await served.post("/fetch", {})).toEqual({ fetched: [{ order: bad.order, jobs: 2 }], already: 1 });
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 5 });
  });
});

describe("an order file that was damaged here", () => {
  it("costs no release: the job is not asked for, the others are printed, and it is once the file came again", async () => {
    const { bureau, served, made, fileOf } = await establish(6);
    const [{ order, jobs } = { order: "", jobs: [] }] = made;
    await served.post("/fetch", {});
    const file = readFileSync(fileOf(order));
    writeFileSync(fileOf(order), file.fill(0, file.length - 40));
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 5, uncertain: 0, refused: { damaged: 1 } });
    expect(bureau.force.released).toHaveLength(5);
    expect((await served.get("/status")).alarms).toMatchObject([{ kind: "order-damaged", job: jobs.at(-1) }]);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 1, refused: {} });
    expect(bureau.force.released.map(({ attempt }) => attempt)).toEqual(Array(6).fill(1));
  });

  it.each([
    ["gone", (file: string) => rmSync(file)],
    ["empty", (file: string) => writeFileSync(file, "")],
  ] as const)("and is %s after a restart is fetched again", async (_what, damage) => {
    const { bureau, served, made, fileOf } = await establish(3);
    const [{ order } = { order: "" }] = made;
    await served.post("/fetch", {});
    await served.stop();
    damage(fileOf(order));
    const again = await serve(bureau);
    open.served = again;
    await again.post("/print", FAST);
    await again.post("/print", FAST);
    expect(await again.get("/status")).toMatchObject({ jobs: { produced: 3 }, uncertain: [] });
    expect((await again.get("/status")).alarms.length).toBeLessThanOrEqual(1);
    expect(bureau.force.released).toHaveLength(3);
  });

  it("is not replaced by another file under the same id", async () => {
    const { bureau, served, made, fileOf } = await establish(2);
    const [{ order } = { order: "" }] = made;
    await served.post("/fetch", {});
    rmSync(fileOf(order));
    const genuine = Buffer.from(bureau.force.orders.get(order) ?? "");
    bureau.force.rewriteOrder(order, (manifest) => ({ ...manifest, createdAt: "2026-01-01T00:00:00.000Z" }));
    expect((await served.call("POST", "/fetch", {})).json.title).toMatch(/another file under the id/);
    expect((await served.call("POST", "/print", FAST)).status).toBe(502);
    bureau.force.orders.set(order, genuine);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2 });
  });
});
