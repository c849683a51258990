import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { adoptHolds } from "./adopt-holds.ts";
import { tellHolds } from "./place-hold.ts";
import { MAX_EARLY } from "./rate-watch.ts";
import { readCounters } from "./test-model.ts";
import { makeRecipient, type TestRecipient } from "./test-recipient.ts";
import { watchReceipts } from "./watch-receipts.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test.stop();
});

const holdList = z.object({
  holds: z.array(z.looseObject({ id: z.string(), reason: z.string(), detail: z.record(z.string(), z.unknown()) })),
});
const holdsOf = async ({ recipient }: TestRecipient) => {
  const { body } = await test.as("security.one").get(`/api/holds?recipient=${recipient}`);
  return holdList.parse(body).holds;
};
const ask = (bureau: TestRecipient, job: number, line: string) =>
  bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), line));
const lift = (login: "security.one" | "security.two", hold: string | undefined, body: object = {}) =>
  test.as(login).post(`/api/holds/${hold}/lift`, body);

it("a hold stops every release of the recipient at once, and the keyholder knows", async () => {
  const bureau = await makeRecipient(test);
  const placed = await test.as("production.lead").post("/api/holds", { recipient: bureau.recipient, reason: "odd" });
  expect(placed.status).toBe(201);
  expect((await ask(bureau, 0, "line-1")).code).toBe("held");
  const { holds } = await test.desk.keyholder.call("status", {});
  expect(holds.map(({ recipient }) => recipient)).toContain(bureau.recipient);
});

it("two people who hold at the same moment leave no hold that only the keyholder knows", async () => {
  const bureau = await makeRecipient(test);
  const placing = (["security.one", "production.lead"] as const).map((login) =>
    test.as(login).post("/api/holds", { recipient: bureau.recipient, reason: "odd" }),
  );
  await Promise.all(placing);
  const { holds } = await test.desk.keyholder.call("status", {});
  const told = holds.filter(({ recipient }) => recipient === bureau.recipient).map(({ hold }) => hold);
  const known = (await holdsOf(bureau)).map(({ id }) => id);
  expect(known.sort()).toEqual(told.sort());
  for (const hold of known) {
    await lift("security.one", hold);
    expect((await lift("security.two", hold)).body).toMatchObject({ lifted: true });
  }
  expect((await ask(bureau, 0, "line-1")).status).toBe(200);
});

it("a hold of one recipient stops nobody else", async () => {
  const [held, other] = [await makeRecipient(test), await makeRecipient(test)];
  await test.as("security.one").post("/api/holds", { recipient: held.recipient, reason: "odd" });
  expect((await ask(other, 0, "line-1")).status).toBe(200);
});

it("a hold is lifted by two different people of security, and by nobody else", async () => {
  const bureau = await makeRecipient(test);
  await test.as("security.one").post("/api/holds", { recipient: bureau.recipient, reason: "odd" });
  const [hold] = await holdsOf(bureau);
  expect((await test.as("production.lead").post(`/api/holds/${hold?.id}/lift`, {})).status).toBe(403);
  expect((await lift("security.one", hold?.id)).body).toMatchObject({ lifted: false });
  expect((await lift("security.one", hold?.id)).body).toMatchObject({ code: "same-person" });
  expect((await ask(bureau, 0, "line-1")).code).toBe("held");
  expect((await lift("security.two", hold?.id)).body).toMatchObject({ lifted: true });
  expect((await lift("security.two", hold?.id)).body).toMatchObject({ code: "already-lifted" });
  expect((await ask(bureau, 0, "line-1")).status).toBe(200);
});

it("a fork in a line's chain is held, and named", async () => {
  const bureau = await makeRecipient(test);
  const stale = bureau.makeRequest(bureau.place(bureau.jobs[1]), "line-1");
  await ask(bureau, 0, "line-1");
  expect((await bureau.release(stale)).code).toBe("chain-broken");
  expect(await holdsOf(bureau)).toMatchObject([
    { reason: "chain-broken", detail: { line: "line-1", job: bureau.jobs[1] } },
  ]);
  expect((await ask(bureau, 2, "line-2")).code).toBe("held");
});

it("what follows a fork in the same moment is held already", async () => {
  const bureau = await makeRecipient(test, { jobs: 8 });
  const forked = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-0", { previous: "11".repeat(32) });
  const answers = await Promise.all([
    bureau.release(forked),
    ...[1, 2, 3, 4, 5].map((job) => ask(bureau, job, `line-${job}`)),
  ]);
  expect(answers.map(({ code }) => code)).toEqual(["chain-broken", "held", "held", "held", "held", "held"]);
});

it("a job outside the run is held", async () => {
  const bureau = await makeRecipient(test);
  await test.desk.pool.query("delete from run_job where job_id = $1", [bureau.jobs[0]]);
  expect((await ask(bureau, 0, "line-1")).code).toBe("not-in-run");
  expect(await holdsOf(bureau)).toMatchObject([{ reason: "not-in-run" }]);
});

it("a recipient that does not heed the rate is held", async () => {
  const bureau = await makeRecipient(test, { limits: { perHour: 1, burst: 1 } });
  await ask(bureau, 0, "line-0");
  for (let times = 0; times < MAX_EARLY + 2; times += 1) await ask(bureau, 1, "line-1");
  expect(await holdsOf(bureau)).toMatchObject([{ reason: "rate" }]);
});

it("a receipt that is overdue is held once, and lifted after it came, or despite a reason", async () => {
  const bureau = await makeRecipient(test, { limits: { receiptWithin: "PT1S" } });
  await ask(bureau, 0, "line-0");
  await ask(bureau, 1, "line-1");
  await watchReceipts(test.desk);
  expect(await holdsOf(bureau)).toEqual([]);
  await test.desk.pool.query("update job set released_at = now() - interval '2 s' where recipient = $1", [
    bureau.recipient,
  ]);
  await watchReceipts(test.desk);
  await watchReceipts(test.desk);
  const holds = await holdsOf(bureau);
  expect(holds.map(({ reason, detail }) => [reason, detail.job]).sort()).toEqual(
    bureau.jobs
      .slice(0, 2)
      .map((job) => ["receipt-overdue", job])
      .sort(),
  );
  const first = holds.find(({ detail }) => detail.job === bureau.jobs[0]);
  const second = holds.find(({ detail }) => detail.job === bureau.jobs[1]);
  expect((await lift("security.one", first?.id)).body).toMatchObject({ code: "not-looked-into" });
  const receipt = bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-0", { resolved: "operator-1" });
  expect((await bureau.receipt(receipt)).status).toBe(200);
  await lift("security.one", first?.id);
  expect((await lift("security.two", first?.id)).body).toMatchObject({ lifted: true });
  await lift("security.one", second?.id, { despite: "the line burnt down" });
  expect((await lift("security.two", second?.id, { despite: "seen" })).body).toMatchObject({ lifted: true });
  await watchReceipts(test.desk);
  expect(await holdsOf(bureau)).toEqual([]);
});

it("a hold placed while the keyholder is away stops releases, and is told and logged when it is back", async () => {
  const bureau = await makeRecipient(test);
  await test.keyholder().kill("SIGKILL");
  await test.as("security.one").post("/api/holds", { recipient: bureau.recipient, reason: "odd" });
  await test.restartKeyholder();
  expect((await ask(bureau, 0, "line-1")).code).toBe("held");
  await tellHolds(test.desk);
  const { holds } = await test.desk.keyholder.call("status", {});
  expect(holds.map(({ recipient }) => recipient)).toContain(bureau.recipient);
});

it("a hold that was lifted before the keyholder heard of it does not come back when it is told", async () => {
  const bureau = await makeRecipient(test);
  const hold = crypto.randomUUID();
  await test.desk.pool.query("insert into hold (id, recipient, reason, placed_at) values ($1, $2, 'by-hand', now())", [
    hold,
    bureau.recipient,
  ]);
  await lift("security.one", hold);
  expect((await lift("security.two", hold)).body).toMatchObject({ lifted: true });
  await test.desk.keyholder.call("holds/place", { recipient: bureau.recipient, hold, reason: "by-hand" });
  expect((await ask(bureau, 0, "line-1")).status).toBe(200);
});

it("a hold that only the keyholder knows is taken over, so that it can be lifted", async () => {
  const bureau = await makeRecipient(test);
  const hold = crypto.randomUUID();
  await test.desk.keyholder.call("holds/place", { recipient: bureau.recipient, hold, reason: "odd" });
  // Held by the keyholder alone: what was reserved is cancelled, signed, and frees its slot.
  expect((await ask(bureau, 0, "line-1")).code).toBe("held");
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 0, lines: [{ open: 0 }] });
  await adoptHolds(test.desk);
  expect(await holdsOf(bureau)).toMatchObject([{ id: hold, reason: "unrecorded" }]);
});
