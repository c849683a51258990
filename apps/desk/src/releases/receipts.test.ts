import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { settleCounters } from "./settle-counters.ts";
import { eventually, readCounters } from "./test-model.ts";
import { makeRecipient, type TestRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test.stop();
});

const ask = (bureau: TestRecipient, job: number, line: string) =>
  bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), line));
const find = async (sql: string, values: unknown[]) => (await test.desk.pool.query(sql, values)).rows[0];

it("a receipt ends the job, frees its slot, and the force's copy of the key goes", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const answer = await bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1", { blank: "B-77" }));
  expect(answer.text).toBe('{"accepted":true}');
  expect(await find("select state, wrapped, blank from job where id = $1", [bureau.jobs[0]])).toEqual({
    state: "produced",
    wrapped: null,
    blank: "B-77",
  });
  expect((await ask(bureau, 1, "line-1")).status).toBe(200);
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 2, lines: [{ open: 1 }] });
});

it("the same receipt again is known, and stands once on the ledger", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const receipt = bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1");
  const answers = await Promise.all([bureau.receipt(receipt), bureau.receipt(receipt), bureau.receipt(receipt)]);
  answers.push(await bureau.receipt(receipt));
  const known = '{"accepted":true,"known":true}';
  expect(answers.map(({ text }) => text).sort()).toEqual([known, known, known, '{"accepted":true}'].sort());
  const logged = "select count(*)::int n from ledger.intake join receipt using (operation_id) where job_id = $1";
  expect(await find(logged, [receipt.job])).toEqual({ n: 1 });
});

it("a receipt that stands without its signature takes the signature of the same receipt, and is not called known", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const receipt = bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1");
  await bureau.receipt(receipt);
  await test.desk.pool.query("update receipt set request = null where job_id = $1", [receipt.job]);
  expect((await bureau.receipt(receipt)).text).toBe('{"accepted":true}');
  expect(await find("select request is null lost from receipt where job_id = $1", [receipt.job])).toEqual({
    lost: false,
  });
  expect((await bureau.receipt(receipt)).text).toBe('{"accepted":true,"known":true}');
});

it("another receipt for the same job is refused, and held", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const place = bureau.place(bureau.jobs[0]);
  await bureau.receipt(bureau.makeReceipt(place, "line-1"));
  const second = await bureau.receipt(bureau.makeReceipt(place, "line-1", { result: "spoiled", reason: "jam" }));
  expect(second.code).toBe("already-answered");
  expect((await ask(bureau, 1, "line-1")).code).toBe("held");
  expect(await find("select result from job where id = $1", [place.job])).toEqual({ result: "produced" });
});

it("two different receipts at once: the first is final, the other alarms", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const place = bureau.place(bureau.jobs[0]);
  const answers = await Promise.all([
    bureau.receipt(bureau.makeReceipt(place, "line-1")),
    bureau.receipt(bureau.makeReceipt(place, "line-1", { blank: "B-2" })),
  ]);
  expect(answers.map(({ code }) => code)).toEqual([undefined, "already-answered"]);
});

it("a spoiled card is void, and its approval stands for a new one in the next order", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const place = bureau.place(bureau.jobs[0]);
  await bureau.receipt(bureau.makeReceipt(place, "line-1", { result: "spoiled", reason: "misprint" }));
  const sql = `select card.validity, card.custody, request.state from job join card on card.id = job.card_id
    join request on request.id = card.request_id where job.id = $1`;
  expect(await find(sql, [place.job])).toEqual({ validity: "void", custody: "bureau", state: "approved" });
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 1 });
});

it("no attempt is released after a receipt", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const place = bureau.place(bureau.jobs[0]);
  await bureau.receipt(bureau.makeReceipt(place, "line-1"));
  const again = await bureau.release(bureau.makeRequest(place, "line-1", { attempt: 2 }));
  expect(again.code).toBe("already-answered");
});

it("a receipt is refused for a job that was never released, and by a key that is for requests", async () => {
  const bureau = await makeRecipient(test);
  const place = bureau.place(bureau.jobs[0]);
  expect((await bureau.receipt(bureau.makeReceipt(place, "line-1"))).code).toBe("attempt-refused");
  await ask(bureau, 0, "line-1");
  expect((await bureau.receipt(bureau.makeReceipt(place, "line-2"))).code).toBe("attempt-refused");
  expect((await bureau.receipt(bureau.makeReceipt(place, "line-1"), { key: "requests" })).code).toBe("unknown-key");
  const spoiled = bureau.makeReceipt(place, "line-1", { result: "spoiled" });
  expect((await bureau.receipt(spoiled)).code).toBe("malformed");
});

it("a receipt of an erased person is taken, and its entry is about nobody", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  await test.desk.pool.query(
    "update person set presence = 'erased' where id = (select person_id from job where id = $1)",
    [bureau.jobs[0]],
  );
  const answer = await bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1"));
  expect(answer.status).toBe(200);
});

it("the keyholder is told of every receipt", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  await bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1"));
  const isCounted = async () =>
    (await find("select counted from receipt where job_id = $1", [bureau.jobs[0]])).counted === true;
  expect(await eventually(isCounted)).toBe(true);
});

it("a receipt that the keyholder does not count stays uncounted, and is told again", async () => {
  const bureau = await makeRecipient(test);
  await ask(bureau, 0, "line-1");
  const place = bureau.place(bureau.jobs[0]);
  await bureau.receipt(bureau.makeReceipt(place, "line-1"));
  const isCounted = async () =>
    (await find("select counted from receipt where job_id = $1", [place.job])).counted === true;
  expect(await eventually(isCounted)).toBe(true);
  const unknown = "http://nobody.example/";
  await test.desk.pool.query(
    "update receipt set counted = false, request = jsonb_set(request, '{targetUri}', to_jsonb($2::text)) where job_id = $1",
    [place.job, unknown],
  );
  await settleCounters(test.desk);
  await settleCounters(test.desk);
  expect(await isCounted()).toBe(false);
  await test.desk.pool.query(
    "update receipt set request = jsonb_set(request, '{targetUri}', to_jsonb($2::text)) where job_id = $1",
    [place.job, `${test.desk.publicUrl}/v1/receipts`],
  );
  const settled = async () => {
    await settleCounters(test.desk);
    return isCounted();
  };
  expect(await eventually(settled)).toBe(true);
});

it("a line's chain value is told, to the one whose line it is", async () => {
  const [bureau, other] = [await makeRecipient(test), await makeRecipient(test)];
  await ask(bureau, 0, "line-1");
  const own = await bureau.send({ method: "GET", path: "/v1/lines/line-1" });
  expect(own.body).toEqual({ line: "line-1", chain: Buffer.from(bureau.chainOf("line-1")).toString("hex") });
  const theirs = await other.send({ method: "GET", path: "/v1/lines/line-1" });
  expect(theirs.body).toEqual({ line: "line-1", chain: Buffer.from(other.chainOf("line-1")).toString("hex") });
  expect(theirs.body).not.toEqual(own.body);
});
