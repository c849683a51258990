import { afterEach, expect, it } from "vitest";
import { createTestBureau, type Served, serve, type TestBureau } from "../test-bureau.ts";

const open: { bureau?: TestBureau; served?: Served } = {};
afterEach(async () => {
  await open.served?.stop();
  await open.bureau?.remove();
});

/** A bureau whose cards are all printed and acknowledged. */
async function produced(...orders: number[]) {
  const bureau = await createTestBureau({ lines: 2 });
  open.bureau = bureau;
  const made = orders.map((jobs) => bureau.force.addOrder(jobs));
  for (const { order } of made) bureau.force.openRun(order);
  const served = await serve(bureau);
  open.served = served;
  await served.post("/print", { patienceSeconds: 10 });
  const receipts = () => bureau.force.messages.filter(({ route }) => route === "POST /v1/receipts").length;
  const jobOf = (at: number) => {
    const job = bureau.force.jobs.get(made[0]?.jobs[at] ?? "");
    if (job === undefined) throw new Error("no such job");
    return job;
  };
  return { bureau, served, made, receipts, jobOf };
}

it("resendReceipts() brings back what the force lost, and a second time changes nothing", async () => {
  const { bureau, served, receipts, jobOf } = await produced(70);
  const before = [0, 7, 69].map((at) => jobOf(at).receipt);
  for (const at of [0, 7, 69]) jobOf(at).receipt = undefined;
  const sent = receipts();
  expect(await served.post("/receipts/resend", {})).toEqual({ sent: 70, new: 3, known: 67, refused: {}, waiting: 0 });
  expect(receipts() - sent).toBe(70);
  expect([0, 7, 69].map((at) => jobOf(at).receipt)).toEqual(before);
  expect(await served.post("/receipts/resend", {})).toMatchObject({ new: 0, known: 70 });
  expect(bureau.force.unexpected).toEqual([]);
  expect(await served.get("/status")).toMatchObject({ receipts: { accepted: 70, refused: 0 }, alarms: [] });
});

it("resendReceipts() sends those of one order, or those made since a time, alone", async () => {
  const { served, made } = await produced(3, 2);
  expect(await served.post("/receipts/resend", { order: made[1]?.order })).toMatchObject({ sent: 2, known: 2 });
  expect(await served.post("/receipts/resend", { since: "2020-01-01" })).toMatchObject({ sent: 5 });
  expect(await served.post("/receipts/resend", { since: "2100-01-01" })).toMatchObject({ sent: 0 });
  const unknown = "00000000-0000-4000-8000-000000000000";
  expect(await served.post("/receipts/resend", { order: unknown })).toMatchObject({ sent: 0 });
});

it("resendReceipts() tells what is refused by its code, goes on with the others, and keeps them all", async () => {
  const { bureau, served, jobOf } = await produced(6);
  const lost = jobOf(2).id;
  bureau.force.behave = ({ route, body }) =>
    route === "POST /v1/receipts" && JSON.stringify(body).includes(lost) ? { refuse: "attempt-refused" } : "normal";
  const expected = { sent: 6, known: 5, refused: { "attempt-refused": 1 } };
  expect(await served.post("/receipts/resend", {})).toMatchObject(expected);
  expect(await served.get("/status")).toMatchObject({ receipts: { accepted: 6 } });
  bureau.force.behave = () => "normal";
  expect(await served.post("/receipts/resend", {})).toMatchObject({ known: 6, refused: {} });
});

it("resendReceipts() alarms where the force has another receipt of a job, and does not send that one again", async () => {
  const { bureau, served, jobOf } = await produced(2);
  const contradicted = jobOf(1);
  if (contradicted.receipt !== undefined) contradicted.receipt = { ...contradicted.receipt, blank: "B-other" };
  expect(await served.post("/receipts/resend", {})).toMatchObject({ refused: { "already-answered": 1 } });
  const status = await served.get("/status");
  expect(status.alarms).toMatchObject([{ kind: "receipt-contradicted", job: contradicted.id }]);
  expect(await served.post("/receipts/resend", {})).toMatchObject({ sent: 1, known: 1, refused: {} });
  expect(bureau.force.unexpected).toEqual(["already-answered"]);
});

it.each(["unknown-key", "stale", "bad-signature"] as const)(
  "resendReceipts() stops at %s, which every receipt would get",
  async (code) => {
    const { bureau, served, receipts } = await produced(40);
    bureau.force.behave = ({ route }) => (route === "POST /v1/receipts" ? { refuse: code } : "normal");
    const sent = receipts();
    const answer = await served.call("POST", "/receipts/resend", {});
    expect(answer).toMatchObject({ status: 409, json: { code: "refused" } });
    expect(answer.json.title).toContain(code);
    expect(receipts() - sent).toBeLessThan(40);
  },
);

it("resendReceipts() refuses a time or an order that is none", async () => {
  const { served, receipts } = await produced(1);
  const sent = receipts();
  for (const body of [{ since: "yesterday" }, { order: "7" }, { run: "7" }]) {
    expect((await served.call("POST", "/receipts/resend", body)).status).toBe(400);
  }
  const { json } = await served.call("POST", "/receipts/resend", { since: "yesterday" });
  expect(json.title).toBe("since: a time is required, such as 2026-06-01T12:00:00Z");
  expect(receipts()).toBe(sent);
});
