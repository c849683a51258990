import { randomUUID } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";
import { makeRecipient } from "../releases/test-recipient.ts";
import { CENSUS_CHORE, isCensusDue } from "./census-chore.ts";
import { findLastCensus } from "./list-censuses.ts";
import { checkHistory, exportHistory } from "./test-history.ts";

let test: TestDesk;
let [person, quiet]: string[] = [];
beforeAll(async () => {
  test = await startTestDesk();
  [person, quiet] = await addTestPeople(test.desk, [{}, {}]);
});
afterAll(async () => {
  await test?.stop();
});

const take = () => test.as("security.one").post("/api/census", {});
const view = () => test.as("cards.clerk").get(`/api/people/${person}`);

describe("a census", () => {
  it("is taken by security alone", async () => {
    expect((await test.as("cards.clerk").post("/api/census", {})).status).toBe(403);
  });

  it("lets a person see that nothing is missing, also where nothing happens", async () => {
    await view();
    expect((await take()).body).toEqual({ seq: 1, people: 2, frozen: 0 });
    await view();
    await view();
    expect((await take()).body).toMatchObject({ seq: 2, people: 2 });
    const history = await exportHistory(test, person);
    expect(history.censuses.map(({ n }) => n)).toEqual([1, 3]);
    const checked = await checkHistory(test, history);
    expect(checked).toMatchObject({ faults: [], complete: true, censusSeq: 2 });
    // The reading of the history itself is the last of them.
    expect(checked.entries.map(({ n, opened }) => [n, opened?.fields.kind])).toEqual(
      [1, 2, 3, 4].map((n) => [n, "opened"]),
    );
    expect((await exportHistory(test, quiet)).censuses.map(({ n }) => n)).toEqual([0, 0]);
  });

  it("shows an entry that is withheld, by name", async () => {
    await take();
    const history = await exportHistory(test, person);
    const last = history.entries.at(-2);
    const without = { ...history, entries: history.entries.filter((entry) => entry !== last) };
    expect((await checkHistory(test, without)).faults).toEqual([
      { kind: "openings-missing", n: last?.n, index: last?.index },
    ]);
    expect((await checkHistory(test, { ...history, censuses: history.censuses.slice(0, -1) })).faults).toMatchObject([
      { kind: "census-withheld", seq: 3 },
    ]);
  });

  it("that the database forgot comes back from the ledger, and the chain goes on", async () => {
    const before = await findLastCensus(test.desk.pool);
    await test.desk.pool.query("delete from census");
    expect((await take()).body).toMatchObject({ seq: (before?.seq ?? 0) + 1 });
    const { rows } = await test.desk.pool.query("select root from census where seq = $1", [before?.seq]);
    expect(rows).toEqual([{ root: before?.root }]);
    expect(await checkHistory(test, await exportHistory(test, person))).toMatchObject({ complete: true });
  });

  it("is refused while another one is being taken", async () => {
    const client = await test.desk.pool.connect();
    await client.query("select pg_advisory_lock(7304002)");
    expect((await take()).body).toMatchObject({ code: "census-busy" });
    await client.query("select pg_advisory_unlock(7304002)");
    client.release();
  });

  it("is neither due nor taken while a restore is open", async () => {
    await test.desk.pool.query(
      `insert into hold (id, recipient, reason, placed_at) values ($1, 'anybody', 'restored', now())`,
      [randomUUID()],
    );
    const later = new Date(Date.now() + 25 * 3_600_000);
    expect(await isCensusDue({ pool: test.desk.pool, now: () => later })).toBe(false);
    expect(await take()).toMatchObject({ status: 409, body: { code: "restored" } });
    await test.desk.pool.query("delete from hold where recipient = 'anybody'");
  });

  it("is due when a run was closed, and a day after the last one", async () => {
    const bureau = await makeRecipient(test, { jobs: 1 });
    expect(await isCensusDue(test.desk)).toBe(false);
    const { rows } = await test.desk.pool.query("select id from run where recipient = $1", [bureau.recipient]);
    expect((await test.as("production.lead").post(`/api/runs/${rows[0]?.id}/close`, {})).status).toBe(200);
    expect(await isCensusDue(test.desk)).toBe(true);
    await CENSUS_CHORE.run(test.desk);
    expect(await isCensusDue(test.desk)).toBe(false);
    const tomorrow = new Date(Date.now() + 25 * 3_600_000);
    expect(await isCensusDue({ pool: test.desk.pool, now: () => tomorrow })).toBe(true);
  });

  it("is refused where the leaves of the one before were changed", async () => {
    const last = await findLastCensus(test.desk.pool);
    const folder = join(test.config.folders.openings, "census", `${last?.seq}-${last?.root.toString("hex")}`);
    for (const part of readdirSync(folder)) writeFileSync(join(folder, part), Buffer.alloc(64));
    expect((await take()).status).toBe(500);
    expect(await findLastCensus(test.desk.pool)).toEqual(last);
  });
});
