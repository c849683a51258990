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
  const { numbers: indexes } = await test.desk.keyholder.call("indexes/compute", { numbers, rows: [] });
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
