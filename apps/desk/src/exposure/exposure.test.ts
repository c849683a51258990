import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "../releases/test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test.stop();
});

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const ask = (recipient: string, more = "") =>
  test.as("security.one").get(`/api/exposure?recipient=${recipient}&from=${ago(60_000)}&to=${ago(-60_000)}${more}`);

it("tells whose data a recipient had in clear, from the ledger's own entries, also of those erased since", async () => {
  const bureau = await makeRecipient(test, { jobs: 5 });
  const release = (job: number) => bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), `line-${job}`));
  await Promise.all([release(0), release(1), release(2)]);
  await bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-0"));
  const { rows } = await test.desk.pool.query("select person_id from job where id = $1", [bureau.jobs[1]]);
  const at = new Date().toISOString();
  await test.desk.keyholder.call("roots/erase", { person: rows[0].person_id, actor: test.as("security.one").id, at });
  const { status, body } = await ask(bureau.recipient);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    people: 3,
    grades: { "in clear in that window": 3, "never released": 2 },
    byRank: { Constable: { trusted: 3, untrusted: 3 } },
    byPostSensitivity: { ordinary: { untrusted: 3 } },
  });
  expect(body).toHaveProperty(["byCategory", "pd:Name", "untrusted"], 3);
});

it("before the first release nobody was exposed", async () => {
  const bureau = await makeRecipient(test, { jobs: 2 });
  const { body } = await ask(bureau.recipient);
  expect(body).toMatchObject({ people: 0, personHoursInClear: 0, grades: { "never released": 2 } });
});

it("the file holds pseudonyms, and no id of the register", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const { rows } = await test.desk.pool.query("select person_id from job where id = $1", [bureau.jobs[0]]);
  const { desk, app } = test;
  const csv = await app.inject({
    url: `/api/exposure?recipient=${bureau.recipient}&from=${ago(60_000)}&to=${ago(-60_000)}&format=csv`,
    headers: { authorization: `Bearer ${test.as("security.one").token}` },
  });
  expect(desk.force).toBe("exampleshire-police");
  expect(csv.body.split("\r\n")[1]).toMatch(/^[0-9a-f]{32},in clear in that window,Constable,ordinary,/);
  expect(csv.body).not.toContain(rows[0].person_id);
});

it("is security's question, about a window that has a length", async () => {
  const url = `/api/exposure?recipient=x&from=${ago(0)}&to=${ago(60_000)}`;
  expect((await test.as("production.lead").get(url)).status).toBe(403);
  expect((await test.as("security.one").get(url)).body).toMatchObject({ code: "empty-window" });
});

it("stands in the keyholder's journal", async () => {
  const before = await test.desk.keyholder.call("journal/head", {});
  const bureau = await makeRecipient(test, { jobs: 1 });
  await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  await ask(bureau.recipient);
  const after = await test.desk.keyholder.call("journal/head", {});
  expect(after.size).toBeGreaterThan(before.size);
});
