import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

async function makeWaiting() {
  const bureau = await makeRecipient(test, { jobs: 2 });
  const place = bureau.place(bureau.jobs[0]);
  const ask = (attempt: number) => bureau.release(bureau.makeRequest(place, "line-1", { attempt }));
  await ask(1);
  await ask(2);
  const security = test.as("security.one");
  const list = (waiting: boolean) => security.get(`/api/releases?recipient=${bureau.recipient}&waiting=${waiting}`);
  const approve = () => security.post("/api/attempts/approve", { job: place.job, attempt: 3 });
  return { bureau, place, ask, list, approve };
}

it("an attempt waits from when it was first asked for until a person approves it", async () => {
  const { bureau, place, ask, list, approve } = await makeWaiting();
  expect((await list(true)).body).toEqual({ releases: [] });
  expect((await ask(3)).code).toBe("attempt-refused");
  const { body: first } = await list(true);
  const waiting = { job: place.job, recipient: bureau.recipient, attempt: 3, line: "line-1", waiting: true };
  expect(first).toMatchObject({ releases: [waiting] });
  await ask(3);
  expect((await list(true)).body).toEqual(first);
  await approve();
  expect((await list(true)).body).toEqual({ releases: [] });
  expect((await ask(3)).status).toBe(200);
});

it("the list names the job and no person", async () => {
  const { bureau, place, ask, list } = await makeWaiting();
  await ask(3);
  const { text } = await list(true);
  const { rows } = await test.desk.pool.query("select person_id from job where id = $1", [place.job]);
  expect(text).not.toContain(rows[0].person_id);
  expect(JSON.parse(text).releases.map(Object.keys)).toEqual([
    ["job", "recipient", "order", "line", "attempt", "waiting", "since"],
  ]);
  expect(text).toContain(bureau.order);
});

it("without `waiting` every release without a receipt is told, and none that has one", async () => {
  const { bureau, place, list } = await makeWaiting();
  expect((await list(false)).body).toMatchObject({ releases: [{ job: place.job, attempt: 2, waiting: false }] });
  await bureau.receipt(bureau.makeReceipt(place, "line-1", { attempt: 2 }));
  expect((await list(false)).body).toEqual({ releases: [] });
});

it("another refusal of an attempt waits for nobody", async () => {
  const { ask, list } = await makeWaiting();
  expect((await ask(5)).code).toBe("attempt-refused");
  expect((await list(true)).body).toEqual({ releases: [] });
});

it("is security's and production's to see", async () => {
  expect((await test.as("production.lead").get("/api/releases")).status).toBe(200);
  expect((await test.as("cards.clerk").get("/api/releases")).status).toBe(403);
});
