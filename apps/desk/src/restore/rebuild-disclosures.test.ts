import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";
import { toDisclosure } from "./disclosure-events.ts";
import { holdAfterRestore } from "./hold-after-restore.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
  await test.console("budget/raise", { openings: 100, reason: "test" });
});
afterAll(async () => {
  await test?.stop();
});

const NUMBERS = ["0077", "0078", "0079"];
/** People who can be found by their numbers. */
const addListed = async (): Promise<string[]> => {
  const { pool, keyholder } = test.desk;
  const ids = await addTestPeople(
    test.desk,
    NUMBERS.map((payNumber) => ({ payNumber, portrait: false })),
  );
  const numbers = NUMBERS.map((value) => ({ field: "pay" as const, value }));
  const asked = { purpose: "import", reference: "test", numbers, rows: [] } as const;
  const computed = await keyholder.call("indexes/compute", { ...asked, numbers, rows: [] });
  for (const [at, index] of (computed.ok ? computed.numbers : []).entries())
    await pool.query("update person set pay_index = $2 where id = $1", [ids[at], Buffer.from(index, "base64url")]);
  return ids;
};

const security = () => test.as("security.one");
const declare = (recipient: string, lines: readonly string[]) =>
  security().post("/api/disclosures", {
    ...{ recipient, from: "2019-01-01", to: "2025-01-01", categories: ["name", "portrait"], reason: "an old contract" },
    lines,
  });
const exposure = async (recipient: string) =>
  (await security().get(`/api/exposure?recipient=${recipient}&from=2024-01-01&to=2024-01-02`)).body;

it("declared disclosures come back with their people, and the same list declares nothing twice", async () => {
  const { pool } = test.desk;
  const people = await addListed();
  expect((await declare("old-a", NUMBERS.slice(0, 2))).body).toMatchObject({ declared: 2 });
  expect((await declare("old-b", NUMBERS)).body).toMatchObject({ declared: 3 });
  const before = [await exposure("old-a"), await exposure("old-b")];
  const rows = async () =>
    (await pool.query("select person_id, operation_id from disclosure_person order by operation_id")).rows;
  const stood = await rows();
  await pool.query("delete from disclosure_person");
  await pool.query("delete from disclosure");
  // Nobody of the register is whom one of the entries is about.
  await pool.query("update person set presence = 'erased' where id = $1", [people[2]]);
  const { rows: sizes } = await pool.query("select count(*)::int n from ledger.intake");
  await pool.query("insert into ledger.restore (from_size, to_size) values (0, $1)", [sizes[0].n]);
  await test.desk.sequencer.waitLogged(
    stood.map((row) => row.operation_id),
    { timeoutMs: 60_000 },
  );
  await holdAfterRestore(test.desk);
  expect(await rows()).toEqual(stood.filter((row) => row.person_id !== people[2]));
  expect(await exposure("old-a")).toEqual(before[0]);
  expect(before[1]).toMatchObject({ declared: { people: { untrusted: 3 } } });
  expect(await exposure("old-b")).toMatchObject({ declared: { people: { untrusted: 2 } } });
  const { rows: reports } = await pool.query("select report from restore_rebuild");
  expect(JSON.parse(reports[0].report)).toMatchObject({
    rebuilt: { disclosures: 4, notRebuilt: { disclosure: 1 }, stubs: [] },
  });
  expect((await declare("old-a", NUMBERS.slice(0, 2))).body).toMatchObject({ declared: 0, already: 2 });
});

describe("toDisclosure()", () => {
  const said = {
    ...{ kind: "disclosure", recipient: "old-a", at: "2026-03-01T09:30:00.000Z", order: "", job: "", attempt: "" },
    ...{ agreement: "", request: "", detail: JSON.stringify({ reason: "an old contract" }) },
  };
  const facts = { categories: ["pd:Name"], from: "2019-01-01T00:00:00.000Z", to: null, pseudonym: "ab", rank: "PC" };
  const read = (more: object, kind = "disclosure") =>
    toDisclosure({ index: 1, operation: "00" }, { ...said, kind, facts: JSON.stringify({ ...facts, ...more }) });
  it("reads the terms of a disclosure, and nothing of another kind or without them", () => {
    expect(read({})).toMatchObject({ terms: { recipient: "old-a", to: null, categories: ["pd:Name"] } });
    expect(read({}, "release")).toBeUndefined();
    for (const more of [{ from: "2019" }, { to: 3 }, { categories: ["pd:Nothing"] }, { categories: null }])
      expect(read(more)).toBeUndefined();
  });
});
