import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople, type TestPerson } from "../database/test-people.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { erasePerson } from "../people/register.ts";
import { makeRecipient } from "../releases/test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
  await test.console("budget/raise", { openings: 10_000, reason: "test" });
});
afterAll(async () => {
  await test?.stop();
});

/** People who can be found by their numbers. */
async function listed(...people: (TestPerson & { payNumber: string; warrantNumber: string })[]): Promise<string[]> {
  const { pool, keyholder } = test.desk;
  const ids = await addTestPeople(
    test.desk,
    people.map((person) => ({ portrait: false, ...person })),
  );
  const numbers = people.flatMap(({ payNumber, warrantNumber }) => [
    { field: "pay", value: payNumber },
    { field: "warrant", value: warrantNumber },
  ]);
  const question = { purpose: "import", reference: "test", numbers } as const;
  const computed = await keyholder.call("indexes/compute", { ...question, rows: [] });
  const bytes = (computed.ok ? computed.numbers : []).map((index) => Buffer.from(index, "base64url"));
  for (const [at, id] of ids.entries()) {
    const [pay, warrant] = bytes.slice(2 * at);
    await pool.query("update person set pay_index = $2, warrant_index = $3 where id = $1", [id, pay, warrant]);
  }
  return ids;
}

let made = 0;
const somebody = (more: TestPerson = {}) => {
  made += 1;
  return { payNumber: `5${1000 + made}`, warrantNumber: `W5${1000 + made}`, ...more };
};
const terms = { from: "2019-01-01", to: "2025-01-01", categories: ["name", "portrait"], reason: "the last contract" };
const declare = (body: object, login: "security.one" | "production.lead" = "security.one") =>
  test.as(login).post("/api/disclosures", { ...terms, ...body });
const ask = (recipient: string, more = "") =>
  test.as("security.one").get(`/api/exposure?recipient=${recipient}&from=2024-01-01&to=2024-01-02${more}`);
const snapshot = async () => {
  const { rows } = await test.desk.pool.query(
    `select (select count(*) from disclosure_person) people, (select count(*) from disclosure) disclosures,
       (select sum(tag_n) from person) entries`,
  );
  return rows[0];
};

it("what was declared stands in exposure under a grade of its own, covert posts too, and in no proven one", async () => {
  const [a, b] = [somebody({ rank: "Sergeant" }), somebody({ postSensitivity: "covert" })];
  await listed(a, b);
  const { status, body } = await declare({ recipient: "old-a", lines: ["Number", a.payNumber, b.warrantNumber] });
  expect(status).toBe(200);
  expect(body).toMatchObject({ people: 2, declared: 2, already: 0, unknown: 0, categories: ["pd:Name", "pd:Picture"] });
  const told = await ask("old-a");
  expect(told.body).toMatchObject({
    people: 0,
    personHoursInClear: 0,
    personHours: { digital: { trusted: 0, untrusted: 0 } },
    grades: { "in clear in that window": 0, "declared, unproven": 2 },
    declared: {
      people: { trusted: 2, untrusted: 2 },
      alsoProven: 0,
      byCategory: { "pd:Name": { untrusted: 2 }, "pd:Picture": { untrusted: 2 } },
      byPostSensitivity: { covert: { untrusted: 1 }, ordinary: { untrusted: 1 } },
      byRank: { Constable: { untrusted: 1 }, Sergeant: { untrusted: 1 } },
      personHours: { trusted: 48, untrusted: 48 },
    },
  });
  expect(told.body).not.toHaveProperty(["declared", "rows"]);
  const csv = await test.app.inject({
    url: "/api/exposure?recipient=old-a&from=2024-01-01&to=2024-01-02&format=csv",
    headers: { authorization: `Bearer ${test.as("security.one").token}` },
  });
  expect(csv.body.split("\r\n")[1]).toMatch(
    /^[0-9a-f]{32},"declared, unproven",\w+,\w+,pd:Name pd:Picture,2019-01-01T00:00:00.000Z,24\.0000,24\.0000,$/,
  );
});

it("the same list again changes nothing, in other words and another order too; more people are added to it", async () => {
  const [a, b, c] = [somebody(), somebody(), somebody()];
  await listed(a, b, c);
  await declare({ recipient: "old-b", lines: [a.payNumber, b.payNumber] });
  const before = await snapshot();
  const again = await declare({
    ...{ recipient: "old-b", lines: [b.warrantNumber, a.payNumber, a.payNumber] },
    ...{ categories: ["pd:Picture", "pd:Name"], reason: "said once more" },
  });
  expect(again.body).toMatchObject({ people: 2, declared: 0, already: 2 });
  expect(await snapshot()).toEqual(before);
  expect((await declare({ recipient: "old-b", lines: [a.payNumber, c.payNumber] })).body).toMatchObject({
    ...{ declared: 1, already: 1 },
  });
  const { body } = await test.as("security.one").get("/api/disclosures?recipient=old-b");
  expect(body).toMatchObject({ disclosures: [{ people: 3, recipient: "old-b", reason: "the last contract" }] });
});

it("a dry run says what would be declared, opens nobody and writes nothing", async () => {
  const a = somebody();
  await listed(a);
  const { keyholder } = test.desk;
  const [before, { budgetLeft }] = [await snapshot(), await keyholder.call("status", {})];
  const { body } = await declare({ recipient: "old-c", lines: [a.payNumber, "X1"], dryRun: true });
  expect(body).toMatchObject({ people: 1, declared: 1, unknownLines: [2], dryRun: true });
  expect(await snapshot()).toEqual(before);
  expect(await keyholder.call("status", {})).toMatchObject({ budgetLeft });
});

it("whoever is not in the register is counted and named by line, never by number", async () => {
  const [a, gone] = [somebody(), somebody()];
  const [, goneId] = await listed(a, gone);
  await erasePerson(test.desk, goneId ?? "", test.as("security.one").id);
  const { body, text } = await declare({ recipient: "old-d", lines: ["98765432", a.payNumber, gone.payNumber] });
  expect(body).toMatchObject({ people: 1, declared: 1, unknown: 2, unknownLines: [1, 3] });
  expect(text).not.toMatch(new RegExp(`98765432|${gone.payNumber}|${a.payNumber}`));
});

it("a number that is one person's pay number and another's warrant number names neither", async () => {
  const [a, b] = [somebody(), somebody()];
  await listed({ ...a, payNumber: "77001" }, { ...b, warrantNumber: "77001" });
  const { body } = await declare({ recipient: "old-e", lines: ["77001"] });
  expect(body).toMatchObject({ people: 0, declared: 0, ambiguousLines: [1] });
});

it("a person who was erased since still counts as one", async () => {
  const a = somebody();
  const [id] = await listed(a);
  await declare({ recipient: "old-f", lines: [a.payNumber] });
  await erasePerson(test.desk, id ?? "", test.as("security.one").id);
  expect((await ask("old-f")).body).toMatchObject({ grades: { "declared, unproven": 1 } });
});

it("a person of whom something was also released stands under both grades, and the report says so", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const { rows } = await test.desk.pool.query("select person_id id from job where id = $1", [bureau.jobs[0]]);
  const facts = {
    categories: ["pd:Name"],
    postSensitivity: "ordinary",
    rank: "Constable",
    from: "2019-01-01T00:00:00.000Z",
  };
  const [at, actor] = [new Date().toISOString(), test.as("security.one").id];
  const about = { kind: "disclosure", recipient: bureau.recipient, reference: "test", subject: rows[0].id, at, actor };
  const draft = { ...about, facts: JSON.stringify({ ...facts, to: null }) };
  await recordEntries(test.desk, [draft], async (client, [entry]) => {
    const { rows: own } = await client.query(
      `insert into disclosure (id, terms, recipient, from_at, categories, reason, declared_by, declared_at)
       values (gen_random_uuid(), 'x', $1, $2, '{}', 'test', $3, now()) returning id`,
      [bureau.recipient, facts.from, actor],
    );
    const person = [own[0].id, rows[0].id, entry?.operationId];
    await client.query("insert into disclosure_person values ($1, $2, $3)", person);
  });
  const { body } = await test
    .as("security.one")
    .get(`/api/exposure?recipient=${bureau.recipient}&from=2024-01-01&to=${new Date(Date.now() + 1000).toISOString()}`);
  expect(body).toMatchObject({
    ...{ people: 1, grades: { "in clear in that window": 1, "declared, unproven": 1 } },
    declared: { people: { trusted: 1, untrusted: 1 }, alsoProven: 1 },
  });
});

it.each<[string, object, string]>([
  ["an unknown category", { categories: ["name", "portait"] }, "unknown-category"],
  ["no category", { categories: [] }, "malformed"],
  ["no reason", { reason: " " }, "malformed"],
  ["a recipient that is no name", { recipient: "a b" }, "malformed"],
  ["a time that has not come", { to: "2999-01-01" }, "in-the-future"],
  ["a time without length", { to: "2019-01-01" }, "empty-time"],
  ["nobody", { lines: ["Number", ""] }, "nobody-listed"],
])("%s is refused", async (_name, more, code) => {
  const before = await snapshot();
  const { status, body } = await declare({ recipient: "old-g", lines: ["1"], ...more });
  expect(status).toBe(400);
  expect(body).toMatchObject({ code });
  expect(await snapshot()).toEqual(before);
});

it("declaring and listing are security's", async () => {
  expect((await declare({ recipient: "old-h", lines: ["1"] }, "production.lead")).status).toBe(403);
  expect((await test.as("production.lead").get("/api/disclosures")).status).toBe(403);
});

it("what the keyholder's budget does not suffice for is refused before anything is written", async () => {
  const people = [somebody(), somebody()];
  await listed(...people);
  const { budgetLeft } = await test.desk.keyholder.call("status", {});
  const reading = { purpose: "view", reference: "test", actor: test.as("security.one").id } as const;
  for (let left = budgetLeft - 1; left > 0; left -= 4096) {
    const persons = Array.from({ length: Math.min(left, 4096) }, () => randomUUID());
    await test.desk.keyholder.call("deks/open", { ...reading, persons });
  }
  const before = await snapshot();
  const { status, body } = await declare({ recipient: "old-i", lines: people.map(({ payNumber }) => payNumber) });
  expect([status, body]).toMatchObject([409, { code: "budget-exceeded" }]);
  expect(await snapshot()).toEqual(before);
});
