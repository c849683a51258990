import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openRestores } from "@tipstaff/ledger/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { makeRecipient, type TestRecipient } from "../releases/test-recipient.ts";
import { findForgotten } from "./find-forgotten.ts";
import { holdAfterRestore } from "./hold-after-restore.ts";
import { readLog } from "./read-log.ts";

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
const exposureAt = async (recipient: string) => {
  const [from, to] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const path = `/api/exposure?recipient=${recipient}&from=${from}&to=${to}`;
  const { status, body } = await test.as("security.one").get(path);
  expect(status).toBe(200);
  return body;
};
const ask = (bureau: TestRecipient, job: number) =>
  bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), `line-${job}`));
const reportOf = (name: unknown): unknown =>
  JSON.parse(readFileSync(join(test.config.folders.reports, String(name)), "utf8"));
const everything = { id: "0", fromSize: 0, toSize: 1_000_000 };

/** As a backup that was made before the release was: the desk's own rows of it are gone, the log has it. */
const forgetReleases = async (bureau: TestRecipient): Promise<void> => {
  const head = await test.desk.sequencer.head();
  await test.desk.pool.query("delete from release where recipient = $1", [bureau.recipient]);
  await test.desk.pool.query("insert into ledger.restore (from_size, to_size) values (0, $1)", [head?.size ?? 0]);
};

/** A release that was logged and that the keyholder never decided. */
const logUndecided = async (bureau: TestRecipient, job: number): Promise<void> => {
  const { rows } = await test.desk.pool.query<{ person_id: string; wrapped: Buffer; context: Buffer }>(
    "select person_id, wrapped, context from job where id = $1",
    [bureau.jobs[job]],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("no such job");
  const { recipient, agreement, order, jobs } = bureau;
  const draft = {
    ...{ kind: "release", recipient, reference: `${jobs[job]}/2/x`, at: new Date().toISOString(), attempt: 2 },
    ...{ agreement, order, request: randomBytes(32).toString("hex"), subject: row.person_id, job: jobs[job] ?? "" },
    wrapped: { key: row.wrapped.toString("base64url"), context: row.context.toString("base64url") },
  };
  const { operationIds } = await recordEntries(test.desk, [draft], async () => undefined);
  await test.desk.sequencer.waitLogged(operationIds, { timeoutMs: 60_000 });
};

it("a desk whose database was not restored holds nobody at its start", async () => {
  const bureau = await makeRecipient(test);
  await holdAfterRestore(test.desk);
  expect(await holdsOf(bureau)).toEqual([]);
  expect((await ask(bureau, 0)).status).toBe(200);
});

describe("after a restore", () => {
  it("every recipient is held once, and the hold says how many releases were forgotten", async () => {
    const [bureau, other] = [await makeRecipient(test), await makeRecipient(test)];
    expect((await ask(bureau, 0)).status).toBe(200);
    const before = findForgotten(await readLog(test.desk, everything));
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    await holdAfterRestore(test.desk);
    for (const recipient of [bureau, other]) {
      const [hold, ...more] = await holdsOf(recipient);
      expect(more).toEqual([]);
      const releases = before.released.length + 1;
      expect(hold).toMatchObject({ reason: "restored", detail: { releases, unopened: 0, report: expect.any(String) } });
      expect((await ask(recipient, 1)).code).toBe("held");
    }
    expect(await openRestores(test.desk.pool)).toEqual([]);
  });

  it("the report lists each forgotten release by job and attempt, and no other entry", async () => {
    const bureau = await makeRecipient(test);
    for (const job of [0, 1]) expect((await ask(bureau, job)).status).toBe(200);
    await logUndecided(bureau, 2);
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const [hold] = await holdsOf(bureau);
    const { recipient, order } = bureau;
    const place = { index: expect.any(Number), operation: expect.stringMatching(/^[0-9a-f]{64}$/) };
    const listed = (job: number, attempt: number) =>
      expect.objectContaining({ ...place, recipient, order, job: bureau.jobs[job], attempt });
    const own = z.looseObject({ recipient: z.string() });
    const report = z
      .looseObject({ released: z.array(own), undecided: z.array(own), unopened: z.array(z.unknown()) })
      .parse(reportOf(hold?.detail.report));
    const ofBureau = (list: readonly z.infer<typeof own>[]) => list.filter((one) => one.recipient === recipient);
    expect(ofBureau(report.released)).toEqual([listed(0, 1), listed(1, 1)]);
    expect(ofBureau(report.undecided)).toEqual([listed(2, 2)]);
    expect(report.unopened).toEqual([]);
  });

  it("a release that the keyholder had not decided is cancelled by its signature, and nothing is given for it", async () => {
    const bureau = await makeRecipient(test);
    await logUndecided(bureau, 0);
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const { rows } = await test.desk.pool.query(
      `select release.state, release.outcome->>'signature' is not null signed, encode(leaf_hash, 'hex') leaf, job.state job
       from release join job on job.id = job_id where release.recipient = $1`,
      [bureau.recipient],
    );
    expect(rows).toEqual([{ state: "cancelled", signed: true, leaf: expect.any(String), job: "released" }]);
    const { outcomes } = await test.desk.keyholder.call("releases/outcomes", { leafHashes: [rows[0].leaf] });
    expect(outcomes).toMatchObject([{ outcome: "cancelled" }]);
  });

  it("an entry that cannot be opened is listed by its index as a possible exposure, released ones as such", async () => {
    const [bureau, another] = [await makeRecipient(test), await makeRecipient(test, { jobs: 1 })];
    expect((await ask(bureau, 0)).status).toBe(200);
    await logUndecided(bureau, 1);
    const { rows } = await test.desk.pool.query<{ idx: string; operation: string }>(
      `update ledger.intake set openings = set_byte(openings, 40, get_byte(openings, 40) # 1)
       from ledger.entry where entry.seq = intake.seq and idx >= (select max(idx) - 1 from ledger.entry)
       returning idx, encode(operation_id, 'hex') operation`,
    );
    // It would answer from memory what it opened before.
    await test.restartKeyholder();
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const [hold] = await holdsOf(bureau);
    const [first, second] = rows.map((row) => ({ ...row, index: Number(row.idx) })).sort((a, b) => a.index - b.index);
    const unopened = [
      { index: first?.index, operation: first?.operation, released: true },
      { index: second?.index, operation: second?.operation, released: false },
    ];
    expect(reportOf(hold?.detail.report)).toMatchObject({ unopened });
    const { releases, unopened: counted } = hold?.detail ?? {};
    expect([releases, counted]).toEqual([1, 2]);
    expect(findForgotten(await readLog(test.desk, everything)).released).toEqual([]);
    expect(await exposureAt(bureau.recipient)).toMatchObject({
      ...{ people: 0, personHoursInClear: 0, grades: { "in clear in that window": 0, "never released": 7 } },
      unopenable: { grade: "possible exposure, unopenable", entries: 2, released: 1 },
    });
    // Whose the other one is nobody knows.
    expect(await exposureAt(another.recipient)).toMatchObject({ unopenable: { entries: 1, released: 0 } });
  });

  it("one person does not lift the hold, two do", async () => {
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

  it("a hold of an earlier restore, whose lifting came back with the log, does not stand for this one", async () => {
    const bureau = await makeRecipient(test);
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const [earlier] = await holdsOf(bureau);
    for (const login of ["security.one", "security.two"] as const) {
      expect((await test.as(login).post(`/api/holds/${earlier?.id}/lift`, {})).status).toBe(200);
    }
    // Logged after the lifting, so that this is in the log too.
    expect((await ask(bureau, 0)).status).toBe(200);
    // The backup was made while that hold stood.
    await test.desk.pool.query("update hold set lifted_at = null, lifted_by = null where id = $1", [earlier?.id]);
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const [hold, ...more] = await holdsOf(bureau);
    expect(more).toEqual([]);
    expect(hold).toMatchObject({ reason: "restored" });
    expect(hold?.id).not.toBe(earlier?.id);
    expect((await ask(bureau, 1)).code).toBe("held");
  });

  it("who agreed to lift the hold of an earlier restore has not agreed after this one", async () => {
    const bureau = await makeRecipient(test);
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    const [hold] = await holdsOf(bureau);
    const lift = (login: "security.one" | "security.two") => test.as(login).post(`/api/holds/${hold?.id}/lift`, {});
    expect((await lift("security.one")).body).toMatchObject({ lifted: false });
    await forgetReleases(bureau);
    await holdAfterRestore(test.desk);
    expect((await holdsOf(bureau)).map(({ id }) => id)).toEqual([hold?.id]);
    expect((await lift("security.two")).body).toMatchObject({ lifted: false });
    expect((await lift("security.one")).body).toMatchObject({ lifted: true });
  });

  it("nothing is released while a restore is open, also by a desk that was running when the database came back", async () => {
    const bureau = await makeRecipient(test);
    expect((await ask(bureau, 0)).status).toBe(200);
    await forgetReleases(bureau);
    expect((await ask(bureau, 1)).code).toBe("held");
    await holdAfterRestore(test.desk);
  });
});
