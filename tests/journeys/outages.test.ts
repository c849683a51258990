import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { verifyLedger } from "../../apps/cli/src/commands/ledger.ts";
import { makeOrder } from "../../apps/cli/src/demo/main-job.ts";
import { bureauApi, type openHome } from "../../apps/cli/src/services/installation.ts";
import { hostileBureau } from "./hostile-bureau.ts";
import { eventually, type LiveForce, liveForce } from "./live-force.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";

const PEOPLE = 40;
const DATABASE_AWAY_MS = 3000;
const PATIENCE_SECONDS = 2;
const LONGEST_RUN_SECONDS = 150;

let force: LiveForce;
let disks: { orders: SmallDisk; tiles: SmallDisk; bureau: SmallDisk };
let order: { order: string; jobs: number };

beforeAll(async () => {
  const prepare = (home: ReturnType<typeof openHome>) => {
    disks = { orders: smallDisk(home.orders), tiles: smallDisk(home.tiles), bureau: smallDisk(home.bureau) };
    return () => {
      for (const disk of Object.values(disks)) disk.remove();
    };
  };
  force = await liveForce({ people: PEOPLE, seed: "outages", prepare });
  if (disks.tiles.how === "gone")
    process.stderr.write("no right to mount: a folder taken away stands for a full disk\n");
}, 300_000);
afterAll(() => force?.stop());

const statusSchema = z.looseObject({
  jobs: z.record(z.string(), z.int()),
  uncertain: z.array(z.looseObject({ job: z.string(), blank: z.string() })),
  receipts: z.looseObject({ waiting: z.int() }),
  lines: z.array(z.looseObject({ line: z.string(), state: z.string() })),
});
const bureau = () => bureauApi(force.home, force.settings);
const SECURITY = ["security.one", "security.two"] as const;
const answered = () => force.count("job where state in ('produced', 'spoiled')");
const pages = () => readdirSync(force.home.printer).filter((name) => name.endsWith(".pdf"));
/** The operator looks at each blank that is uncertain. */
const look = async () => {
  for (const { job, blank } of statusSchema.parse(await bureau().get("/status")).uncertain) {
    const result = pages().includes(`${blank}.pdf`) ? "produced" : "spoiled";
    await bureau().post("/resolve", { job, result, operator: "operator-1" });
  }
};
const holdsSchema = z.looseObject({ holds: z.array(z.looseObject({ id: z.string() })) });
/** On a slow machine a receipt may be overdue. */
const liftAll = async () => {
  for (const { id } of holdsSchema.parse(await force.as("security.one").get("/api/holds")).holds)
    for (const login of SECURITY)
      await force
        .as(login)
        .post(`/api/holds/${id}/lift`, {})
        .catch(() => undefined);
};
/** Prints until so many jobs have their receipts, and no receipt or blank is left to be looked after. */
const produceUntil = (jobs: number) => {
  const isDone = async () => {
    await print();
    await look();
    await liftAll();
    const { receipts, uncertain } = statusSchema.parse(await bureau().get("/status"));
    return (await answered()) >= jobs && receipts.waiting === 0 && uncertain.length === 0;
  };
  return eventually(`${jobs} answered`, isDone, LONGEST_RUN_SECONDS);
};
/** Each card that the force knows lies under its blank in the printer, and nothing else does. */
const expectBlanksAsPrinted = async () => {
  const produced = await force.query("select blank from job where state = 'produced' order by blank");
  expect(produced.map(({ blank }) => `${String(blank)}.pdf`)).toEqual(pages().sort());
};
const printed = async () => statusSchema.parse(await bureau().get("/status")).jobs.produced ?? 0;
const print = () => bureau().post("/print", { patienceSeconds: PATIENCE_SECONDS });
const openRun = (jobs: number) =>
  force.as("production.lead").post("/api/runs", { order: order.order, jobs, untilMinutes: 60 });

describe("a disk that is full where orders are written", () => {
  test("makes no order, one clear error and nothing half; with room again the same command succeeds", async () => {
    disks.orders.spoil();
    await expect(makeOrder(force.stage)).rejects.toThrow(/desk answered 5\d\d/);
    disks.orders.mend();
    expect(await force.count("job")).toBe(0);
    expect(await force.count("card")).toBe(0);
    expect(await force.count("request where state = 'approved'")).toBeGreaterThan(PEOPLE / 2);
    order = await makeOrder(force.stage);
    expect(order.jobs).toBeGreaterThan(PEOPLE / 2);
    expect(readdirSync(force.home.orders).filter((name) => name.endsWith(".order"))).toHaveLength(1);
  });
});

describe("a disk that is full where the bureau keeps orders", () => {
  test("keeps nothing half of an order, and says so; with room again it is fetched", async (context) => {
    if (disks.bureau.how === "gone") return context.skip();
    disks.bureau.spoil();
    await expect(bureau().post("/fetch", {})).rejects.toThrow(/bureau answered 507 \[disk-full\]\. The disk is full/);
    expect(readdirSync(join(force.home.bureau, "orders"))).toEqual([]);
    disks.bureau.mend();
    expect(await bureau().post("/fetch", {})).toMatchObject({ fetched: [{ order: order.order, jobs: order.jobs }] });
  });
});

describe("a disk that is full where the ledger is written", () => {
  test("releases nothing, and everything goes on when there is room", async () => {
    await openRun(8);
    await bureau().post("/fetch", {});
    disks.tiles.spoil();
    await print().catch(() => undefined);
    expect(await printed()).toBe(0);
    expect(await force.count("release where state = 'released'")).toBe(0);
    expect(force.house.deserters()).toEqual([]);
    disks.tiles.mend();
    await eventually("printing after the disk had room", async () => {
      await print();
      return (await printed()) >= 4;
    });
    const { tiles, openings } = force.home;
    const verified = await verifyLedger({ place: tiles, openings, verifierKey: force.settings.logVerifierKey });
    expect(verified).toMatchObject({ verified: true });
  });
});

describe("a database that is gone for three seconds", () => {
  test("is told as 503 with a problem on every route, ends no process, and is gone back to by itself", async () => {
    const hostile = hostileBureau(force.home, force.settings);
    const before = await printed();
    await openRun(8);
    await force.house.kill("database");
    const asked = Date.now();
    const staff = await hostile.send({
      method: "GET",
      path: "/api/holds",
      headers: { authorization: `Bearer ${"x".repeat(43)}` },
    });
    expect(staff).toMatchObject({ status: 503, code: "unavailable" });
    const signed = await hostile.send(hostile.signed("GET", "/v1/runs"));
    expect(signed).toMatchObject({ status: 503, code: "unavailable", signed: true });
    const printing = print().catch(() => undefined);
    await sleep(Math.max(0, DATABASE_AWAY_MS - (Date.now() - asked)));
    expect(force.house.deserters()).toEqual([]);
    await force.house.restart("database");
    await eventually("the desk answers again", async () => {
      await force.as("security.one").get("/api/holds");
      return (await hostile.send(hostile.signed("GET", "/v1/runs"))).status === 200;
    });
    await printing;
    await eventually("cards come out again", async () => {
      await print();
      return (await printed()) > before;
    });
  });
});

describe("a disk that is full at the bureau", () => {
  test("is told as such, ends no process, and loses no card, receipt or order", async (context) => {
    // A folder that was taken away does not take open files away.
    if (disks.bureau.how === "gone") return context.skip();
    const before = await answered();
    await openRun(8);
    disks.bureau.spoil();
    expect(await print()).toMatchObject({ produced: 0, lines: { "disk-full": expect.any(Number) } });
    disks.bureau.mend();
    const printing = print().catch(() => undefined);
    await eventually("one more card", async () => (await answered()) > before);
    disks.bureau.spoil();
    await printing;
    expect(force.house.deserters()).toEqual([]);
    disks.bureau.mend();
    await produceUntil(before + 8);
    await expectBlanksAsPrinted();
  });
});

describe("a bureau's store that is put back from an older copy", () => {
  const store = () => join(force.home.bureau, "bureau.db");
  const copy = () => join(force.home.root, "bureau-copy.db");
  const put = (from: string, to: string) => {
    for (const part of ["", "-wal"]) {
      rmSync(to + part, { force: true });
      if (existsSync(from + part)) cpSync(from + part, to + part);
    }
  };
  const restart = async (line: string) => {
    for (const login of SECURITY) {
      await force.as(login).post("/api/lines/restart", { recipient: force.settings.recipient, line });
    }
    await bureau().post("/restart", { line, operator: "operator-1" });
  };

  test("stops its lines, gives no blank twice and no card again, and goes on once people restarted them", async () => {
    await force.house.kill("bureau");
    put(store(), copy());
    await force.house.restart("bureau");
    const before = await answered();
    await openRun(6);
    await produceUntil(before + 6);
    const receipts = await force.query("select job_id, digest from receipt order by job_id");
    await force.house.kill("bureau");
    put(copy(), store());
    await force.house.restart("bureau");

    const left = await force.count("job where state = 'sealed'");
    expect(left).toBeGreaterThan(4);
    await openRun(left);
    await print();
    const { lines } = statusSchema.parse(await bureau().get("/status"));
    const stopped = lines.filter(({ state }) => state === "line-forked").map(({ line }) => line);
    expect(stopped.length).toBeGreaterThan(0);
    await force.as("security.one").post("/api/holds", { recipient: force.settings.recipient, reason: "odd" });
    for (const line of stopped) await restart(line);
    // The job that was in flight when its line stopped is left to the next order.
    await produceUntil(before + 6 + left - lines.length);
    await expectBlanksAsPrinted();
    const now = await force.query("select job_id, digest from receipt order by job_id");
    expect(now).toEqual(expect.arrayContaining(receipts));
  });
});
