import { randomUUID } from "node:crypto";
import { type CensusLeaf, parseVerifierKey, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCensus } from "../census/census-leaves-files.ts";
import { withMapThread } from "../census/map-thread.ts";
import { checkHistory, exportHistory, type TestHistory } from "../census/test-history.ts";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";
import { makeRecipient, type TestRecipient } from "../releases/test-recipient.ts";
import { readPeople, sealDetails } from "./register.ts";

let test: TestDesk;
let bureau: TestRecipient;
let person = "";
let other = "";
let before: TestHistory;
/** Somebody whose data a contractor had; a census; the person's own history; and then the erasure. */
beforeAll(async () => {
  test = await startTestDesk();
  bureau = await makeRecipient(test, { jobs: 2 });
  await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const { rows } = await test.desk.pool.query("select id, person_id from job where id = any($1)", [bureau.jobs]);
  person = rows.find(({ id }) => id === bureau.jobs[0])?.person_id;
  other = rows.find(({ id }) => id === bureau.jobs[1])?.person_id;
  await giveDetails([person, other]);
  await takeCensus();
  before = await exportHistory(test, person);
  expect((await test.as("security.one").post(`/api/people/${person}/erase`, {})).body).toEqual({ erased: true });
});
afterAll(async () => {
  await test?.stop();
});

/** The recipient's people come without a record. */
async function giveDetails(people: readonly string[]): Promise<void> {
  const question = { purpose: "view", reference: "test", actor: test.as("security.one").id } as const;
  const answer = await test.desk.keyholder.call("deks/open", { ...question, persons: [...people] });
  const [sample = ""] = await addTestPeople(test.desk, [{}]);
  const [read] = await readPeople(test.desk, [sample], question);
  for (const [at, personId] of people.entries()) {
    const dek = Buffer.from((answer.ok && answer.deks[at]) || "", "base64url");
    if (!read) throw new Error("nobody to copy");
    const details = Buffer.from(sealDetails(dek, { personId, recordVersion: 1 }, read.details));
    await test.desk.pool.query("update person set details = $2 where id = $1", [personId, details]);
  }
}
const takeCensus = async () => (await test.as("security.one").post("/api/census", {})).body;
const leafOf = ({ censuses }: TestHistory, seq: number) => censuses.find((census) => census.seq === seq)?.map.end;

describe("erasing a person", () => {
  it("destroys the keys, and empties the record but for the row itself", async () => {
    const asked = { person, actor: test.as("security.one").id, purpose: "test" };
    expect(await test.desk.keyholder.call("history/keys", asked)).toEqual({ ok: false, reason: "unknown-person" });
    const { rows } = await test.desk.pool.query("select * from person where id = $1", [person]);
    expect(rows[0]).toMatchObject({
      ...{ presence: "erased", details: null, portrait: null, warrant_index: null, pay_index: null },
      root_erased_at: expect.any(Date),
    });
    expect((await test.as("cards.clerk").get(`/api/people/${person}`)).status).toBe(404);
  });

  it("is an entry of its own, the last one about that person", async () => {
    const known = new Set(before.entries.map(({ n }) => n));
    const { rows } = await test.desk.pool.query("select tag_n from person where id = $1", [person]);
    expect(Number(rows[0]?.tag_n)).toBe(known.size + 1);
    expect((await test.as("security.one").post(`/api/people/${person}/erase`, {})).status).toBe(200);
    const again = await test.desk.pool.query("select tag_n from person where id = $1", [person]);
    expect(again.rows).toEqual(rows);
  });

  it("leaves log and openings whole, and old proofs verify", async () => {
    await takeCensus();
    const { logVerifierKey } = await test.desk.keyholder.call("status", {});
    const verdict = await verifyLog({
      tiles: createFolderStorage(test.config.folders.tiles),
      openings: createFolderStorage(test.config.folders.openings),
      verifierKeys: [parseVerifierKey(logVerifierKey)],
    });
    expect(verdict).toMatchObject({ ok: true });
    expect(await checkHistory(test, before)).toMatchObject({ complete: true, faults: [] });
  });

  it("still counts as one person exposed", async () => {
    const [from, to] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
    const { body } = await test
      .as("security.one")
      .get(`/api/exposure?recipient=${bureau.recipient}&from=${from}&to=${to}`);
    expect(body).toMatchObject({ people: 1, grades: { "in clear in that window": 1 } });
  });

  it("freezes the leaf of every later census, and nobody else's", async () => {
    expect(await takeCensus()).toMatchObject({ frozen: 1 });
    const { rows } = await test.desk.pool.query("select seq, root from census order by seq");
    const key = leafOf(before, 1)?.key ?? new Uint8Array();
    const ends = await withMapThread(async (thread) => {
      const found = [];
      for (const census of rows) found.push((await readCensus(test.desk, census, { thread, key })).proof?.end);
      return found;
    });
    const inHex = (leaf: CensusLeaf | null | undefined) =>
      leaf && [leaf.key, leaf.commitment].map((bytes) => Buffer.from(bytes).toString("hex"));
    const told = inHex(leafOf(before, 1));
    expect(told).toBeDefined();
    expect(ends.map((end) => inHex(end))).toEqual([told, told, told]);
    expect(await checkHistory(test, await exportHistory(test, other))).toMatchObject({ complete: true, faults: [] });
  });

  it("a history is refused, as for somebody who was never there", async () => {
    const security = test.as("security.one");
    const refused = await security.post("/api/people/history", { person, purpose: "test" });
    const nobody = await security.post("/api/people/history", { person: randomUUID(), purpose: "test" });
    expect(refused).toMatchObject({ status: 404, body: { code: "unknown-person" } });
    expect(refused.text).toBe(nobody.text);
  });
});

describe("a person's history", () => {
  it("is for security, and of a covert post for custodians alone", async () => {
    const [covert] = await addTestPeople(test.desk, [{ postSensitivity: "covert" }]);
    const ask = async (login: "cards.clerk" | "production.lead" | "security.one" | "covert.custodian") =>
      (await test.as(login).post("/api/people/history", { person: covert, purpose: "test" })).status;
    expect([await ask("cards.clerk"), await ask("production.lead"), await ask("security.one")]).toEqual([
      403, 403, 404,
    ]);
    expect(await ask("covert.custodian")).toBe(200);
  });

  it("needs a purpose", async () => {
    const { status } = await test.as("security.one").post("/api/people/history", { person: other, purpose: " " });
    expect(status).toBe(400);
  });
});
