import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test.stop();
});

const count = async (sql: string, values: unknown[] = []): Promise<number> => {
  const { rows } = await test.desk.pool.query<{ n: string }>(`select count(*) n from ${sql}`, values);
  return Number(rows[0]?.n);
};

it("a job of an open run is released, once its entry stands on the ledger", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const answer = await bureau.release(request);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ outcome: "released", job: request.job, attempt: 1 });
  expect(await count("job where id = $1 and state = 'released'", [request.job])).toBe(1);
});

it("a retry gets the same bytes and makes no entry", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const [first, joined] = await Promise.all([bureau.release(request), bureau.release(request)]);
  const entries = await count("ledger.intake");
  const again = await bureau.release(request);
  expect(first.status).toBe(200);
  expect(joined.text).toBe(first.text);
  expect(again.text).toBe(first.text);
  expect(await count("ledger.intake")).toBe(entries);
});

it("a nonce is used once", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const nonce = randomBytes(16);
  expect((await bureau.release(request, { nonce })).status).toBe(200);
  expect((await bureau.release(request, { nonce })).code).toBe("replayed");
});

it("a request is refused that is forged, stale, under-signed, or signed by a key for something else", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const without = (name: string) => (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
  const other = { ...request, attempt: 2 };
  const asked = [
    bureau.release(request, { key: "stranger" }),
    bureau.release(request, { key: "receipts" }),
    bureau.release(request, { now: new Date(Date.now() - 600_000) }),
    bureau.release(request, { tamper: without("signature") }),
    bureau.release(request, { tamper: without("content-digest") }),
    bureau.release(request, { tamper: (headers) => ({ ...headers, "signature-input": "tipstaff=()" }) }),
    bureau.send({ method: "POST", path: "/v1/releases", body: { ...other, more: 1 } }),
    bureau.send({ method: "POST", path: "/v1/releases" }),
  ];
  const codes = (await Promise.all(asked)).map(({ code }) => code);
  const malformed = ["malformed", "malformed", "malformed", "malformed"];
  expect(codes).toEqual(["unknown-key", "unknown-key", "stale", "unsigned", ...malformed]);
  expect(await count("release where job_id = $1", [request.job])).toBe(0);
});
