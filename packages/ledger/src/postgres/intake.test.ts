import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testEntry, testKey } from "../test-entries.ts";
import { appendIntake, type IntakeRow, migrateLedger } from "./index.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

let postgres: TestPostgres;
let pool: Pool;
beforeAll(async () => {
  postgres = await startTestPostgres();
  pool = await postgres.createDatabase();
  await Promise.all([migrateLedger(pool), migrateLedger(pool), migrateLedger(pool)]);
});
afterAll(() => postgres.close());

const append = async (rows: readonly IntakeRow[]) => {
  const client = await pool.connect();
  try {
    return await appendIntake(client, rows);
  } finally {
    client.release();
  }
};
const countRows = async (): Promise<number> => {
  const { rows } = await pool.query<{ n: number }>(
    "select count(*)::int as n from ledger.intake join ledger.waiting using (seq)",
  );
  return rows[0]?.n ?? -1;
};

describe("appendIntake()", () => {
  test("accepts an operation once, and knows it again", async () => {
    const entries = [testEntry("once"), testEntry("twice")];
    expect(await append(entries)).toEqual(["accepted", "accepted"]);
    expect(await append([testEntry("twice"), testEntry("thrice")])).toEqual(["duplicate", "accepted"]);
  });

  test("refuses the same operation with another request, and keeps the first", async () => {
    await append([testEntry("conflict")]);
    const other = { ...testEntry("conflict"), requestDigest: testKey("other request") };
    expect(await append([other, testEntry("besides")])).toEqual(["conflict", "accepted"]);
    expect(await append([testEntry("conflict")])).toEqual(["duplicate"]);
  });

  test("tells apart the same operation twice in one call", async () => {
    const entry = testEntry("pair");
    expect(await append([entry, entry])).toEqual(["accepted", "duplicate"]);
    const other = { ...testEntry("pair2"), requestDigest: testKey("x") };
    expect(await append([testEntry("pair2"), other])).toEqual(["accepted", "conflict"]);
  });

  test("leaves nothing when the caller's transaction rolls back", async () => {
    const before = await countRows();
    const client = await pool.connect();
    await client.query("begin");
    expect(await appendIntake(client, [testEntry("undone")])).toEqual(["accepted"]);
    await client.query("rollback");
    client.release();
    expect(await countRows()).toBe(before);
    expect(await append([testEntry("undone")])).toEqual(["accepted"]);
  });

  test("accepts each operation once when many ask at the same time", async () => {
    const before = await countRows();
    const results = await Promise.all(Array.from({ length: 24 }, (_, n) => append([testEntry(`race ${n % 6}`)])));
    expect(results.flat().filter((result) => result === "accepted")).toHaveLength(6);
    expect(results.flat()).not.toContain("conflict");
    expect(await countRows()).toBe(before + 6);
  });

  test("refuses rows whose parts do not belong together", async () => {
    const [a, b] = [testEntry("a"), testEntry("b")];
    const invalid = expect.objectContaining({ code: "entry-invalid" });
    await expect(append([{ ...a, operationId: b.operationId }])).rejects.toThrow(invalid);
    await expect(append([{ ...a, openings: b.openings }])).rejects.toThrow(invalid);
    await expect(append([{ ...a, requestDigest: new Uint8Array(31) }])).rejects.toThrow(invalid);
    await expect(append(Array.from({ length: 4097 }, () => a))).rejects.toThrow(invalid);
    const malformed = expect.objectContaining({ code: "leaf-malformed" });
    await expect(append([{ ...a, leaf: a.leaf.subarray(1) }])).rejects.toThrow(malformed);
  });

  test("takes an empty list for what it is", async () => {
    expect(await append([])).toEqual([]);
  });
});
