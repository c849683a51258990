import { openRestores } from "@tipstaff/ledger/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient, type TestRecipient } from "../releases/test-recipient.ts";
import { findForgotten } from "./find-forgotten.ts";
import { holdAfterRestore } from "./hold-after-restore.ts";

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
const holdsOf = async ({ recipient }: TestRecipient) =>
  holdList.parse((await test.as("security.one").get(`/api/holds?recipient=${recipient}`)).body).holds;
const ask = (bureau: TestRecipient, job: number) =>
  bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), "line-1"));

/** As a backup that was made before the release was: the desk's own rows of it are gone, the log has it. */
const forgetReleases = async (bureau: TestRecipient): Promise<{ fromSize: number; toSize: number }> => {
  const head = await test.desk.sequencer.head();
  await test.desk.pool.query("delete from release where recipient = $1", [bureau.recipient]);
  const toSize = head?.size ?? 0;
  await test.desk.pool.query("insert into ledger.restore (from_size, to_size) values (0, $1)", [toSize]);
  return { fromSize: 0, toSize };
};

it("a desk whose database was not restored holds nobody at its start", async () => {
  const bureau = await makeRecipient(test);
  await holdAfterRestore(test.desk);
  expect(await holdsOf(bureau)).toEqual([]);
  expect((await ask(bureau, 0)).status).toBe(200);
});

it("after a restore every recipient is held once, and the hold says how many releases were forgotten", async () => {
  const [bureau, other] = [await makeRecipient(test), await makeRecipient(test)];
  expect((await ask(bureau, 0)).status).toBe(200);
  const before = await findForgotten(test.desk, { fromSize: 0, toSize: 1_000_000 });
  const restored = await forgetReleases(bureau);
  expect((await findForgotten(test.desk, restored)).released.length).toBe(before.released.length + 1);
  await holdAfterRestore(test.desk);
  await holdAfterRestore(test.desk);
  for (const recipient of [bureau, other]) {
    const [hold, ...more] = await holdsOf(recipient);
    expect(more).toEqual([]);
    expect(hold).toMatchObject({ reason: "restored", detail: { releases: before.released.length + 1 } });
    expect((await ask(recipient, 1)).code).toBe("held");
  }
  expect(await openRestores(test.desk.pool)).toEqual([]);
});

it("one person does not lift it, two do", async () => {
  const bureau = await makeRecipient(test);
  await forgetReleases(bureau);
  await holdAfterRestore(test.desk);
  const [hold] = await holdsOf(bureau);
  const lift = (login: "security.one" | "security.two") => test.as(login).post(`/api/holds/${hold?.id}/lift`, {});
  expect((await lift("security.one")).body).toMatchObject({ lifted: false });
  expect((await lift("security.one")).status).toBe(409);
  expect((await ask(bureau, 0)).code).toBe("held");
  expect((await lift("security.two")).body).toMatchObject({ lifted: true });
  expect((await ask(bureau, 0)).status).toBe(200);
});
