import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient, type TestRecipient } from "../releases/test-recipient.ts";
import {
  behind,
  keepDatabase,
  keepKeys,
  putBack,
  type RunningDesk,
  rebuildFromFolder,
  startDesk,
} from "./test-loss.ts";

let test: TestDesk;
let bureau: TestRecipient;
let running: RunningDesk | undefined;
/** At first of a desk in this process that is never restarted: its pool goes on. */
let app: FastifyInstance;

const LOGINS = ["security.one", "security.two", "security.one"] as const;
const release = async (at: number) =>
  (await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[at]), `line-${at}`))).status;
const stateOf = async (at: number): Promise<unknown> =>
  (await test.desk.pool.query("select state from job where id = $1", [bureau.jobs[at]])).rows[0]?.state;
const holdList = z.object({ holds: z.array(z.looseObject({ id: z.string(), reason: z.string() })) });
const holdsOf = async () =>
  holdList.parse((await test.as("security.one").get(`/api/holds?recipient=${bureau.recipient}`)).body).holds;
const lift = (hold: string | undefined, login: (typeof LOGINS)[number]) =>
  test.as(login).post(`/api/holds/${hold}/lift`, {});

beforeAll(async () => {
  // A database that goes away is what is wanted here.
  vi.stubEnv("TEST_LOG_LEVEL", process.env.TEST_LOG_LEVEL ?? "silent");
  const started = await startTestDesk();
  app = started.app;
  test = behind(started, () => app);
  bureau = await makeRecipient(test, { jobs: 2, limits: { receiptWithin: "PT2H" } });
  expect(await release(0)).toBe(200);
  await keepDatabase(test, "old-postgres");
  await keepKeys(test, "old-keys");
  expect(await release(1)).toBe(200);
  await test.desk.sequencer.stop();
  await putBack(test, "postgres", { from: "old-postgres" });
  await putBack(test, "keys", { from: "old-keys", aside: "newest-keys" });
  await rebuildFromFolder(test);
}, 400_000);
afterAll(async () => {
  await running?.stop();
  await test?.stop();
});

it("under an old keyholder the desk does not start, and says what to do; nothing is rebuilt", async () => {
  await expect(startDesk(test)).rejects.toThrow(/older than the log.*restore its newest folder/);
  expect(await stateOf(1)).toBe("sealed");
  expect((await holdsOf()).map(({ reason }) => reason)).toEqual(["restored"]);
});

it("nobody lifts a hold then, whoever asked before, and whatever it is for", async () => {
  const [hold] = await holdsOf();
  const other = await test.as("security.one").post("/api/holds", { recipient: bureau.recipient, reason: "a look" });
  expect(other.status).toBe(201);
  const placed = z.looseObject({ hold: z.string() }).parse(other.body).hold;
  for (const id of [hold?.id, placed]) {
    for (const login of LOGINS) {
      const { status, text } = await lift(id, login);
      expect([status, text]).toEqual([409, expect.stringMatching(/is not rebuilt from the log yet.*restore\.md/)]);
    }
    await test.desk.pool.query("update hold set lift_asked_by = $2 where id = $1", [id, test.as("security.two").id]);
    expect((await lift(id, "security.one")).status).toBe(409);
  }
  expect(await release(1)).toBe(423);
});

it("under its newest store the next start rebuilds, and two people lift the holds", async () => {
  await putBack(test, "keys", { from: "newest-keys" });
  running = await startDesk(test);
  app = running.app;
  expect(await stateOf(1)).toBe("released");
  for (const { id, reason } of await holdsOf()) {
    // Who asked before the rebuild did not know what it would say.
    if (reason === "restored") expect((await lift(id, "security.two")).body).toMatchObject({ lifted: false });
    expect((await lift(id, "security.one")).body).toMatchObject({ lifted: true });
  }
  expect(await holdsOf()).toEqual([]);
});
