import { readdirSync } from "node:fs";
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

let force: LiveForce;
let disks: { orders: SmallDisk; tiles: SmallDisk };
let order: { order: string; jobs: number };

beforeAll(async () => {
  const prepare = (home: ReturnType<typeof openHome>) => {
    disks = { orders: smallDisk(home.orders), tiles: smallDisk(home.tiles) };
    return () => {
      disks.orders.remove();
      disks.tiles.remove();
    };
  };
  force = await liveForce({ people: PEOPLE, seed: "outages", prepare });
  if (disks.tiles.how === "gone")
    process.stderr.write("no right to mount: a folder taken away stands for a full disk\n");
}, 120_000);
afterAll(() => force?.stop());

const statusSchema = z.looseObject({ jobs: z.record(z.string(), z.int()) });
const bureau = () => bureauApi(force.home, force.settings);
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
