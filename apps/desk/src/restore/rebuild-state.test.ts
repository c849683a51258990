import { randomUUID } from "node:crypto";
import { chainRestart, type Receipt, type ReleaseRequest } from "@tipstaff/release-protocol";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { erasePerson } from "../people/register.ts";
import { settleCounters } from "../releases/settle-counters.ts";
import { makeRecipient, type TestOrder, type TestRecipient } from "../releases/test-recipient.ts";
import { holdAfterRestore } from "./hold-after-restore.ts";
import {
  behind,
  keepDatabase,
  putBack,
  type RunningDesk,
  readState,
  rebuildFromFolder,
  startDesk,
} from "./test-loss.ts";

let test: TestDesk;
let bureau: TestRecipient;
/** Orders before and after the backup; the database forgets the second. */
let closed: TestOrder;
let lost: TestOrder;
let running: RunningDesk | undefined;
let app: FastifyInstance;
const asked = new Map<number, ReleaseRequest>();
const answers = new Map<number, { readonly sealed: unknown; readonly enc: unknown }>();

const job = (at: number): string => bureau.jobs[at] ?? "";
const line = (at: number): string => `line-${at}`;
const staff = (login: "security.one" | "security.two" | "front.desk" | "production.lead") => test.as(login);
const desk = () => running?.desk ?? test.desk;

const release = async (at: number, more: Partial<ReleaseRequest> = {}) => {
  const request = bureau.makeRequest(bureau.place(job(at)), line(at), more);
  const answer = await bureau.release(request);
  if (answer.status === 200) {
    asked.set(at, request);
    answers.set(at, { sealed: answer.body.sealed, enc: answer.body.enc });
  }
  return answer;
};
const receipts = new Map<number, Receipt>();
/** The same receipt, however often it is sent. */
const receipt = (at: number, more: Partial<Receipt> = {}) => {
  const content = receipts.get(at) ?? bureau.makeReceipt(bureau.place(job(at)), line(at), more);
  receipts.set(at, content);
  return bureau.receipt(content);
};
const lostPlace = (at: number) => ({ ...bureau.place(lost.jobs[at]), run: lost.run, order: lost.order });
const scan = async (...jobs: (string | undefined)[]) => {
  const scans = jobs.map((id) => ({ blank: `B-${id?.slice(0, 8)}` }));
  expect((await staff("front.desk").post("/api/cards/receive", { scans })).body).toMatchObject({
    received: jobs.length,
  });
  await settleCounters(desk());
};
const ok = async (answer: Promise<{ status: number; text: string }>) => {
  const { status, text } = await answer;
  expect([status, text]).toEqual([200, text]);
};

const holdList = z.object({ holds: z.array(z.looseObject({ id: z.string(), reason: z.string() })) });
const holdsOf = async () =>
  holdList.parse((await staff("security.one").get(`/api/holds?recipient=${bureau.recipient}`)).body).holds;
const liftAll = async () => {
  for (const { id } of await holdsOf())
    for (const login of ["security.one", "security.two"] as const)
      await ok(staff(login).post(`/api/holds/${id}/lift`, {}));
};

const window = { from: new Date(Date.now() - 3_600_000).toISOString(), to: "" };
const exposure = async () =>
  (await staff("security.one").get(`/api/exposure?recipient=${bureau.recipient}&from=${window.from}&to=${window.to}`))
    .body;
const stateNow = () => readState(desk(), bureau.recipient, [bureau.order, closed.order]);
const count = async (sql: string): Promise<number> =>
  Number((await desk().pool.query(`select count(*) n from ${sql}`)).rows[0]?.n);

/** Some released, answered, scanned in, and some not. */
const before = async () => {
  for (const at of [0, 1, 2]) await ok(release(at));
  for (const at of [0, 2]) await ok(receipt(at));
  await scan(job(0));
};

/** What the database forgets: of every kind. */
const after = async () => {
  await ok(receipt(1, { result: "spoiled", reason: "jam" }));
  await scan(job(2));
  for (const at of [3, 4, 5, 6]) await ok(release(at));
  for (const at of [3, 4]) await ok(receipt(at));
  await scan(job(3));
  await ok(release(6, { attempt: 2 }));
  await ok(staff("security.one").post("/api/attempts/approve", { job: job(6), attempt: 3 }));
  await cancelByKeyholder();
  await restartLine();
  await ok(staff("production.lead").post(`/api/runs/${closed.run}/close`, {}));
  await erase(closed.jobs[0]);
  lost = await bureau.addOrder(2);
  for (const at of [0, 1]) await ok(bureau.release(bureau.makeRequest(lostPlace(at), `lost-${at}`)));
  await ok(bureau.receipt(bureau.makeReceipt(lostPlace(0), "lost-0")));
  await settleCounters(test.desk);
};

/** The keyholder alone knows of a hold: what was logged is cancelled. */
const cancelByKeyholder = async () => {
  const hold = { recipient: bureau.recipient, hold: randomUUID() };
  await test.desk.keyholder.call("holds/place", { ...hold, reason: "test" });
  expect((await release(7)).code).toBe("held");
  await test.desk.keyholder.call("holds/lift", { ...hold, people: [randomUUID(), randomUUID()] });
};

const erase = async (id: string | undefined) => {
  const { rows } = await test.desk.pool.query<{ person: string }>("select person_id person from job where id = $1", [
    id,
  ]);
  expect(await erasePerson(test.desk, rows[0]?.person ?? "", staff("security.one").id)).toEqual({ ok: true });
};

const restartLine = async () => {
  await ok(release(8));
  await ok(receipt(8));
  const placed = await staff("security.one").post("/api/holds", { recipient: bureau.recipient, reason: "a look" });
  expect(placed.status).toBe(201);
  const place = { recipient: bureau.recipient, line: line(8) };
  await ok(staff("security.one").post("/api/lines/restart", place));
  const { body } = await staff("security.two").post("/api/lines/restart", place);
  const { restart } = z.looseObject({ restart: z.string(), restarted: z.literal(true) }).parse(body);
  bureau.chains.set(line(8), chainRestart(bureau.recipient, line(8), restart));
  await liftAll();
};

let then: { state: Awaited<ReturnType<typeof stateNow>>; exposure: unknown };

beforeAll(async () => {
  // A database that goes away is what is wanted here.
  vi.stubEnv("TEST_LOG_LEVEL", process.env.TEST_LOG_LEVEL ?? "silent");
  const started = await startTestDesk();
  app = started.app;
  test = behind(started, () => app);
  bureau = await makeRecipient(test, { jobs: 12, limits: { receiptWithin: "PT2H" } });
  closed = await bureau.addOrder(1);
  await before();
  await keepDatabase(test, "backup");
  await after();
  window.to = new Date().toISOString();
  then = { state: await stateNow(), exposure: await exposure() };
  await test.desk.sequencer.stop();
  await putBack(test, "postgres", { from: "backup" });
  await rebuildFromFolder(test);
  running = await startDesk(test);
  app = running.app;
}, 400_000);
afterAll(async () => {
  await running?.stop();
  await test?.stop();
});

describe("a desk that starts on an old database under the whole log", () => {
  it("has the counters, lines, jobs, releases, receipts, cards, runs, approvals and holds of before the loss", async () => {
    expect(then.state.jobs.length).toBe(13);
    expect(then.state.releases.length).toBe(12);
    expect(await stateNow()).toEqual(then.state);
  });

  it("tells the same exposure, with the jobs that it never knew", async () => {
    expect(then.exposure).toMatchObject({ people: 10, grades: { "in clear in that window": 10 } });
    expect(await exposure()).toEqual(then.exposure);
  });

  it("reports what it rebuilt, and what it could not", async () => {
    const { rows } = await desk().pool.query<{ report: string }>("select report from restore_rebuild");
    expect(JSON.parse(rows[0]?.report ?? "")).toMatchObject({
      rebuilt: {
        ...{
          releases: 9,
          receipts: 5,
          scanned: 2,
          runsClosed: 1,
          approvals: 1,
          holdsPlaced: 1,
          holdsLifted: 1,
          erased: 1,
        },
        ...{ stubs: [...lost.jobs], unplaced: [], uncounted: [], notRebuilt: { erased: 1 } },
      },
    });
  });

  it("changes nothing when it does it again: after a kill before the end, and even from the beginning", async () => {
    const report = async () => (await desk().pool.query("select report from restore_rebuild")).rows;
    const kept = await report();
    for (const forget of ["", "delete from restore_rebuild;"]) {
      await desk().pool.query(`${forget} update ledger.restore set settled_at = null`);
      await holdAfterRestore(desk());
      expect(await stateNow()).toEqual(then.state);
      expect(await exposure()).toEqual(then.exposure);
      if (forget === "") expect(await report()).toEqual(kept);
      expect((await holdsOf()).length).toBe(1);
    }
    expect(JSON.parse((await report())[0]?.report)).toMatchObject({
      rebuilt: { releases: 0, jobs: 0, stubs: [], receipts: 0, lines: 0, cards: 0, holdsPlaced: 0, erased: 0 },
    });
  });

  it("answers a repeated request with what it was answered, while all is held", async () => {
    expect((await holdsOf()).map(({ reason }) => reason)).toEqual(["restored"]);
    const releases = await count("release");
    for (const at of [1, 4, 5]) {
      const request = asked.get(at);
      if (request === undefined) throw new Error("was not asked");
      const answer = await bureau.send({ method: "POST", path: "/v1/releases", body: request });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ outcome: "released", job: job(at), ...answers.get(at) });
    }
    expect((await release(9)).code).toBe("held");
    expect(await count("release")).toBe(releases);
  });

  it("releases nothing a second time once two people have lifted the hold", async () => {
    await liftAll();
    const releases = await count("release");
    const codes = [4, 5, 7].map(async (at) => (await release(at)).code);
    expect(await Promise.all(codes)).toEqual(["already-answered", "attempt-refused", "withdrawn"]);
    const unknown = bureau.makeRequest(lostPlace(1), "lost-1", { attempt: 2 });
    expect((await bureau.release(unknown)).code).toBe("unknown-job");
    expect(await count("release")).toBe(releases);
    expect(await holdsOf()).toEqual([]);
  });

  it("takes receipts that arrive late once, also of a job that it never knew", async () => {
    const entries = await count("ledger.intake");
    for (const _ of [1, 2, 3]) await ok(receipt(5));
    const unknown = bureau.makeReceipt(lostPlace(1), "lost-1");
    for (const _ of [1, 2]) await ok(bureau.receipt(unknown));
    expect(await count("ledger.intake")).toBe(entries + 2);
    expect(await count(`job where id in ('${job(5)}', '${lost.jobs[1]}') and state = 'produced'`)).toBe(2);
    expect(
      await count(`line where recipient = '${bureau.recipient}' and line in ('lost-1', 'line-5') and open = 0`),
    ).toBe(2);
  });

  it("takes in the plastic of a job that it never knew, once, and knows no card of it", async () => {
    const unaccounted = () => count(`job where attempt > 0 and state <> 'cancelled' and scanned_at is null`);
    const counted = async () => {
      const sql = "select unaccounted from recipient_state where recipient = $1";
      return (await desk().pool.query<{ unaccounted: number }>(sql, [bureau.recipient])).rows[0]?.unaccounted;
    };
    const before = await unaccounted();
    expect(await counted()).toBe(before);
    const blank = `B-${lost.jobs[0]?.slice(0, 8)}`;
    const scans = [{ blank }, { blank }, { blank: "B-nobody-knows" }];
    const { body } = await staff("front.desk").post("/api/cards/receive", { scans });
    const refused = [1, 2].map((place) => ({ scan: place, reason: "unknown-card" }));
    expect(body).toEqual({ received: 1, cards: [], refused, unregistered: [blank] });
    expect((await staff("front.desk").post("/api/cards/receive", { scans })).status).toBe(404);
    expect([await unaccounted(), await counted()]).toEqual([before - 1, before - 1]);
    await settleCounters(desk());
    const recalled = await desk().keyholder.call("jobs/recall", { jobs: [...lost.jobs] });
    expect(recalled.jobs.map((one) => one?.accounted)).toEqual([true, false]);
  });

  it("takes a receipt that came back for the same when it is sent again, with its signature", async () => {
    const entries = await count("ledger.intake");
    const unsigned = `receipt where job_id = '${job(4)}' and request is null`;
    expect(await count(unsigned)).toBe(1);
    await ok(receipt(4));
    expect(await count(unsigned)).toBe(0);
    await settleCounters(desk());
    expect(await count(`receipt where job_id = '${job(4)}' and counted`)).toBe(1);
    expect(await count("ledger.intake")).toBe(entries);
    const other = { ...bureau.makeReceipt(bureau.place(job(3)), line(3)), blank: "B-other" };
    expect((await bureau.receipt(other)).code).toBe("already-answered");
    await liftAll();
  });

  it("goes on with each line's chain, a restarted one too", async () => {
    for (const [at, on] of [
      [9, 5],
      [10, 8],
    ] as const) {
      const request = bureau.makeRequest(bureau.place(job(at)), line(on));
      expect((await bureau.release(request)).status).toBe(200);
    }
  });
});
