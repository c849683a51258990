import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testEntry, testKey } from "../test-entries.ts";
import { createIntake, migrateLedger } from "./index.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let pool: Pool;
beforeAll(async () => {
  postgres = await startTestPostgres();
  pool = await postgres.createDatabase();
  await migrateLedger(pool);
});
afterAll(() => postgres.close());

const waiting = async (): Promise<number> => {
  const { rows } = await pool.query<{ n: number }>("select count(*)::int as n from ledger.waiting");
  return rows[0]?.n ?? -1;
};

describe("createIntake()", () => {
  test("answers each of many who append at once, in fewer commits than there are of them", async () => {
    let commits = 0;
    const intake = createIntake({
      pool,
      onCommitted: () => {
        commits += 1;
      },
    });
    const before = await waiting();
    const results = await Promise.all(Array.from({ length: 300 }, (_, n) => intake.append(testEntry(`many ${n}`))));
    expect(results).toEqual(Array.from({ length: 300 }, () => "accepted"));
    expect(await waiting()).toBe(before + 300);
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThan(30);
  });

  test("tells a repeat and a conflict inside one commit, whoever comes first", async () => {
    const intake = createIntake({ pool });
    const other = { ...testEntry("shared"), requestDigest: testKey("other request") };
    const results = await Promise.all([testEntry("shared"), testEntry("shared"), other].map(intake.append));
    expect(results.toSorted()).toEqual(["accepted", "conflict", "duplicate"]);
    expect(await intake.append(testEntry("shared"))).toBe("duplicate");
  });

  test("refuses a bad row before it joins the others, and takes them", async () => {
    const intake = createIntake({ pool });
    const [good, bad] = [testEntry("good"), { ...testEntry("bad"), requestDigest: new Uint8Array(31) }];
    const settled = await Promise.allSettled([intake.append(bad), intake.append(good)]);
    expect(settled[0]).toMatchObject({ status: "rejected", reason: { code: "entry-invalid" } });
    expect(settled[1]).toEqual({ status: "fulfilled", value: "accepted" });
  });

  test("logs once what two doors append at the same time, and neither locks the other out", async () => {
    const doors = [createIntake({ pool }), createIntake({ pool })];
    const names = Array.from({ length: 200 }, (_, n) => `both ${n}`);
    const before = await waiting();
    const results = await Promise.all(
      doors.flatMap((door, at) => (at === 0 ? names : names.toReversed()).map((name) => door.append(testEntry(name)))),
    );
    expect(results.filter((result) => result === "accepted")).toHaveLength(200);
    expect(results.filter((result) => result === "duplicate")).toHaveLength(200);
    expect(await waiting()).toBe(before + 200);
  });

  test("rejects all of a commit whose session is cut, and takes them when they come again", async () => {
    const own = await postgres.createDatabase();
    await migrateLedger(own);
    const intake = createIntake({ pool: own });
    const entries = Array.from({ length: 5 }, (_, n) => testEntry(`cut ${n}`));
    const blocker = await own.connect();
    await blocker.query("begin; lock table ledger.intake in access exclusive mode");
    const appended = Promise.allSettled(entries.map(intake.append));
    for (let cut = 0; cut === 0; ) {
      const { rowCount } = await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = $1 and wait_event_type = 'Lock' and query like '%ledger.intake%'`,
        [own.options.database],
      );
      cut = rowCount ?? 0;
    }
    expect((await appended).map(({ status }) => status)).toEqual(entries.map(() => "rejected"));
    await blocker.query("rollback");
    blocker.release();
    expect(await Promise.all(entries.map(intake.append))).toEqual(entries.map(() => "accepted"));
  });
});
