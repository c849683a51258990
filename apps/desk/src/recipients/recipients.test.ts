import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { makeRecipient } from "../releases/test-recipient.ts";

let test: TestDesk;
let known: string;
beforeAll(async () => {
  test = await startTestDesk();
  known = (await makeRecipient(test, { jobs: 1 })).recipient;
});
afterAll(async () => {
  await test?.stop();
});

const window = `from=${new Date(Date.now() - 60_000).toISOString()}&to=${new Date().toISOString()}`;
const security = () => test.as("security.one");
const unknown = { status: 404, code: "unknown-recipient", advice: expect.stringContaining("maker-") };

it.each([
  ["exposure", () => security().get(`/api/exposure?recipient=${known}x&${window}`)],
  ["exposure, as a file", () => security().get(`/api/exposure?recipient=${known}x&${window}&format=csv`)],
  ["a hold", () => security().post("/api/holds", { recipient: `${known}x`, reason: "odd" })],
  ["the list of holds", () => security().get(`/api/holds?recipient=${known}x`)],
  ["the list of releases", () => security().get(`/api/releases?recipient=${known}x`)],
  ["the list of disclosures", () => security().get(`/api/disclosures?recipient=${known}x`)],
  ["a line's restart", () => security().post("/api/lines/restart", { recipient: `${known}x`, line: "line-01" })],
])("%s of a recipient that nobody knows is refused, and those known are named", async (_what, ask) => {
  expect((await ask()).body).toMatchObject(unknown);
});

it("a hold that was refused stands nowhere, neither here nor at the keyholder", async () => {
  await security().post("/api/holds", { recipient: "nobody", reason: "odd" });
  expect((await test.desk.pool.query("select from hold where recipient = 'nobody'")).rowCount).toBe(0);
  const { holds } = await test.desk.keyholder.call("status", {});
  expect(holds.map(({ recipient }) => recipient)).not.toContain("nobody");
});

it("a recipient is known by its agreement, by its key here, and by a disclosure that was declared", async () => {
  const exposureAt = async (recipient: string) =>
    (await security().get(`/api/exposure?recipient=${recipient}&${window}`)).status;
  expect(await exposureAt(known)).toBe(200);
  expect(await exposureAt(test.bureau.recipient)).toBe(200);
  expect(await exposureAt("archive")).toBe(404);
  await test.desk.pool.query(
    `insert into disclosure (id, terms, recipient, from_at, to_at, categories, reason, declared_by, declared_at)
     values (gen_random_uuid(), $1, 'archive', now(), null, '{pd:Name}', 'a test', $2, now())`,
    [Buffer.alloc(32), security().id],
  );
  expect(await exposureAt("archive")).toBe(200);
});

it("whoever may not ask about recipients learns of none", async () => {
  const { status, text } = await test.as("cards.clerk").get(`/api/exposure?recipient=x&${window}`);
  expect(status).toBe(403);
  expect(text).not.toContain("maker-");
});
