import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { recoverReleases } from "./recover-releases.ts";
import { eventually } from "./test-model.ts";
import { makeRecipient, type TestRecipient } from "./test-recipient.ts";

const JOBS = 24;
const GIVE_UP_MS = 120_000;

let test: TestDesk;
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeAll(async () => {
  // Connections that break are what is wanted here.
  vi.stubEnv("TEST_LOG_LEVEL", process.env.TEST_LOG_LEVEL ?? "silent");
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  // Durable, since a bureau does not send again what was acknowledged.
  test = await startTestDesk({ durable: true });
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
  await test?.stop();
});
afterEach(() => {
  expect(unhandled).toEqual([]);
});

/** Breaks off each of the desk's sessions with even chances, again and again, at moments that nobody chose. */
async function breakSessions(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const client = new pg.Client({ connectionString: test.postgres.url });
    client.on("error", () => undefined);
    await client.connect();
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where pid <> pg_backend_pid() and backend_type = 'client backend' and random() < 0.5`,
    );
    await client.end();
    await sleep(randomInt(400));
  }
}

async function killServer(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(500 + randomInt(1000));
    await test.postgres.kill();
    await sleep(randomInt(500));
    await test.postgres.start();
    await sleep(2000);
  }
}

/** As a bureau does: the same request until it has an answer, then the receipt until it is taken. */
async function produce(bureau: TestRecipient, job: string, line: string): Promise<void> {
  const place = bureau.place(job);
  const request = bureau.makeRequest(place, line);
  const receipt = bureau.makeReceipt(place, line);
  await until(() => bureau.release(request));
  await until(() => bureau.receipt(receipt));
}

async function until(ask: () => Promise<{ status: number; text: string }>): Promise<void> {
  const start = Date.now();
  for (let last = ""; Date.now() - start < GIVE_UP_MS; await sleep(50)) {
    try {
      const answer = await ask();
      if (answer.status === 200) return;
      last = answer.text;
    } catch (error) {
      last = String(error);
    }
    if (last.includes("broken-invariant")) throw new Error(last);
  }
  throw new Error("no answer");
}

it.each([
  ["sessions that are broken off", breakSessions],
  ["a server that is killed", killServer],
])(
  "%s at any moment: each job is released once, answered once, counted once, and nothing is left unhandled",
  async (_, harm) => {
    const bureau = await makeRecipient(test, { jobs: JOBS, limits: { receiptWithin: "PT2H" } });
    let isOver = false;
    const harming = harm(() => isOver);
    const recovering = (async () => {
      while (!isOver) {
        await recoverReleases(test.desk).catch(() => undefined);
        await sleep(300);
      }
    })();
    try {
      await Promise.all(bureau.jobs.map((job, at) => produce(bureau, job, `line-${at % 12}-${at}`)));
    } finally {
      isOver = true;
      await Promise.all([harming, recovering]);
    }
    const count = async (sql: string) => {
      const { rows } = await test.desk.pool.query<{ n: number }>(`select count(*)::int n from ${sql}`, [
        bureau.recipient,
      ]);
      return rows[0]?.n;
    };
    expect(await count("release where recipient = $1 and state = 'released'")).toBe(JOBS);
    expect(await count("release where recipient = $1 and state <> 'released'")).toBe(0);
    expect(await count("job where recipient = $1 and state = 'produced' and attempt = 1")).toBe(JOBS);
    expect(await count("receipt join job on job.id = job_id where recipient = $1")).toBe(JOBS);
    expect(await count(`recipient_state where recipient = $1 and unaccounted = ${JOBS}`)).toBe(1);
    expect(await count("line where recipient = $1 and open <> 0")).toBe(0);
    expect(await count("hold where recipient = $1")).toBe(0);
    // What goes on by itself is between two statements now and then; a transaction that was left stays.
    const left = () => count("pg_stat_activity where state like 'idle in transaction%' and $1 <> ''");
    expect(await eventually(async () => (await left()) === 0, 20_000)).toBe(true);
  },
);
