import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

it("a person is found by a number in a body, and by none in an address", async () => {
  const [person] = await addTestPeople(test.desk, [{}]);
  const value = "4711";
  const numbers = [{ field: "pay", value }];
  const question = { purpose: "import", reference: "test", numbers, rows: [] as string[] } as const;
  const computed = await test.desk.keyholder.call("indexes/compute", question);
  const indexes = computed.ok ? computed.numbers : [];
  await test.desk.pool.query("update person set pay_index = $2 where id = $1", [
    person,
    Buffer.from(indexes[0] ?? "", "base64url"),
  ]);
  const clerk = test.as("cards.clerk");
  expect((await clerk.post("/api/people/find", { number: value })).body).toMatchObject({ id: person });
  expect((await clerk.post("/api/people/find", { number: "4712" })).body).toMatchObject({ code: "unknown-person" });
  expect((await test.as("production.lead").post("/api/people/find", { number: value })).status).toBe(403);
  expect((await clerk.get(`/api/people?number=${value}`)).body).toMatchObject({ code: "no-such-route" });
});

it("asking for a covert post costs what asking for nobody costs: one opening, one line in the journal, one answer", async () => {
  const [covert = "", ordinary = ""] = await addTestPeople(test.desk, [{ postSensitivity: "covert" }, {}]);
  const clerk = test.as("cards.clerk");
  const cost = async (person: string) => {
    const { keyholder, pool } = test.desk;
    const entries = async () => (await pool.query("select count(*)::int count from ledger.intake")).rows[0]?.count;
    const before = { head: await keyholder.call("journal/head", {}), left: await keyholder.call("status", {}) };
    const written = await entries();
    const { status, body } = await clerk.get(`/api/people/${person}`);
    const after = { head: await keyholder.call("journal/head", {}), left: await keyholder.call("status", {}) };
    return {
      ...{ status, body, entries: (await entries()) - written },
      journal: after.head.size - before.head.size,
      openings: before.left.budgetLeft - after.left.budgetLeft,
    };
  };
  const nobody = await cost(randomUUID());
  expect(nobody).toMatchObject({ status: 404, journal: 1, openings: 1, entries: 0 });
  expect(await cost(covert)).toEqual(nobody);
  expect(await cost(ordinary)).toMatchObject({ status: 200, openings: 1 });
});

it("asking by the number of a covert post costs what asking by nobody's number costs", async () => {
  const [covert] = await addTestPeople(test.desk, [{ postSensitivity: "covert" }]);
  const numbers = [{ field: "pay", value: "4811" }];
  const computed = await test.desk.keyholder.call("indexes/compute", {
    ...{ purpose: "import", reference: "test", numbers, rows: [] },
  });
  await test.desk.pool.query("update person set pay_index = $2 where id = $1", [
    covert,
    Buffer.from((computed.ok && computed.numbers[0]) || "", "base64url"),
  ]);
  const cost = async (number: string) => {
    const before = await test.desk.keyholder.call("journal/head", {});
    const { status, body } = await test.as("cards.clerk").post("/api/people/find", { number });
    return { status, body, journal: (await test.desk.keyholder.call("journal/head", {})).size - before.size };
  };
  expect(await cost("4811")).toEqual(await cost("4812"));
  expect((await test.as("covert.custodian").post("/api/people/find", { number: "4811" })).status).toBe(200);
});
