import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "../releases/test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

it("closing a run puts the head of the keyholder's journal on the ledger", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const lead = test.as("production.lead");
  const { size, head } = await test.desk.keyholder.call("journal/head", {});
  expect((await lead.post(`/api/runs/${bureau.run}/close`, {})).status).toBe(200);
  const { rows } = await test.desk.pool.query("select size::int, encode(head, 'hex') head from journal_head");
  expect(rows).toContainEqual({ size, head });
});

it("a run that is closed again changes nothing", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  const close = () => test.as("production.lead").post(`/api/runs/${bureau.run}/close`, {});
  await close();
  const entries = async () => (await test.desk.pool.query("select count(*)::int n from ledger.intake")).rows;
  const before = await entries();
  expect(await close()).toMatchObject({ status: 409, body: { code: "run-closed" } });
  expect(await entries()).toEqual(before);
});
