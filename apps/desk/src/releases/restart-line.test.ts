import { chainRestart } from "@tipstaff/release-protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

const LINE = "line-1";
const restartSchema = z.object({ restart: z.uuid() });

/** A recipient whose line was used by somebody else, too: the hold for the broken chain stands. */
async function makeForked() {
  const bureau = await makeRecipient(test, { jobs: 4 });
  const ask = (job: number, more: object = {}) =>
    bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), LINE, more));
  const receipt = (job: number) => bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[job]), LINE));
  await ask(0);
  await receipt(0);
  expect((await ask(1, { previous: "ab".repeat(32) })).code).toBe("chain-broken");
  const restart = (login: "security.one" | "security.two" | "production.lead", line = LINE) =>
    test.as(login).post("/api/lines/restart", { recipient: bureau.recipient, line });
  const read = async () => (await bureau.send({ method: "GET", path: `/v1/lines/${LINE}` })).body;
  const lift = async () => {
    const { rows } = await test.desk.pool.query("select id from hold where recipient = $1 and lifted_at is null", [
      bureau.recipient,
    ]);
    for (const { id } of rows) {
      for (const login of ["security.one", "security.two"] as const)
        await test.as(login).post(`/api/holds/${id}/lift`, {});
    }
  };
  return { bureau, ask, restart, read, lift };
}

it("two people restart a line: its chain value is one that nobody knew, and the bureau is told of it until it is used", async () => {
  const { bureau, ask, restart, read, lift } = await makeForked();
  const before = await read();
  expect(before).not.toHaveProperty("restart");
  expect((await restart("security.one")).body).toMatchObject({ restarted: false });
  expect(await read()).toEqual(before);
  const { body } = await restart("security.two");
  expect(body).toMatchObject({ restarted: true, line: LINE });
  const { restart: id } = restartSchema.parse(body);
  const chain = chainRestart(bureau.recipient, LINE, id);
  expect(await read()).toEqual({ line: LINE, chain: Buffer.from(chain).toString("hex"), restart: id });
  await lift();
  bureau.chains.set(LINE, chain);
  expect((await ask(1)).status).toBe(200);
  expect(await read()).not.toHaveProperty("restart");
});

it("whoever knew the line's chain before cannot go on with it", async () => {
  const { bureau, ask, restart, lift } = await makeForked();
  const known = bureau.chainOf(LINE);
  await restart("security.one");
  await restart("security.two");
  await lift();
  const answer = await ask(1, { previous: Buffer.from(known).toString("hex") });
  expect(answer.code).toBe("chain-broken");
});

it("nothing is released on a restarted line before two people lift the hold", async () => {
  const { bureau, ask, restart } = await makeForked();
  await restart("security.one");
  const { restart: id } = restartSchema.parse((await restart("security.two")).body);
  bureau.chains.set(LINE, chainRestart(bureau.recipient, LINE, id));
  expect((await ask(1)).code).toBe("held");
});

it("one person alone restarts nothing, a recipient that is not held has nothing restarted, nor has a line that is none", async () => {
  const { restart, read, lift } = await makeForked();
  const before = await read();
  await restart("security.one");
  expect((await restart("security.one")).body).toMatchObject({ code: "same-person" });
  expect((await restart("production.lead")).status).toBe(403);
  expect(await restart("security.two", "line-9")).toMatchObject({ status: 404, body: { code: "unknown-line" } });
  await lift();
  expect((await restart("security.two")).body).toMatchObject({ code: "not-held" });
  expect(await read()).toEqual(before);
});

it("a restart stands on the ledger", async () => {
  const { restart } = await makeForked();
  await restart("security.one");
  const entries = async () => (await test.desk.pool.query("select count(*)::int n from ledger.intake")).rows[0]?.n;
  const before = await entries();
  await restart("security.two");
  expect(await entries()).toBe(before + 1);
});
