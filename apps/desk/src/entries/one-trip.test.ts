import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createLogger, createPool } from "../compose.ts";
import { startTestPostgres, type TestPostgres } from "../database/test-postgres.ts";
import { oneTrip } from "./one-trip.ts";
import { inTransaction } from "./record-entries.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-one-trip-"));
chmodSync(folder, 0o711);
let postgres: TestPostgres;
let pool: Pool;
beforeAll(async () => {
  postgres = await startTestPostgres(join(folder, "data"));
  pool = createPool({ databaseUrl: postgres.url }, createLogger({ logLevel: "silent" }));
});
beforeEach(async () => {
  await pool.query("drop table if exists noted; create table noted (n int primary key)");
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const note = (client: PoolClient, n: number) => client.query("insert into noted values ($1)", [n]);
async function noted(): Promise<number[]> {
  const { rows } = await pool.query<{ n: number }>("select n from noted order by n");
  return rows.map(({ n }) => n);
}

it("statements run in the order given, and each gets its own rows", async () => {
  const counts = await inTransaction(pool, async (client) => {
    const count = () => client.query<{ n: number }>("select count(*)::int n from noted");
    const [before, , between, , after] = await oneTrip(client, [
      count,
      () => note(client, 1),
      count,
      () => note(client, 2),
      count,
    ]);
    return [before, between, after].map(({ rows }) => rows[0]?.n);
  });
  expect(counts).toEqual([0, 1, 2]);
  expect(await noted()).toEqual([1, 2]);
});

it("it rejects with what failed first, whichever place that has, and nothing of the transaction stays", async () => {
  for (const broken of [0, 1, 2]) {
    const work = inTransaction(pool, (client) =>
      oneTrip(
        client,
        [10, 11, 12].map((n, at) => () => (at === broken ? client.query("select 1/0") : note(client, n))),
      ),
    );
    await expect(work).rejects.toMatchObject({ code: "22012" });
  }
  expect(await noted()).toEqual([]);
});

it("what goes on after its own statement ends before the rollback, so that it writes nothing outside the transaction", async () => {
  const late = async (client: PoolClient) => {
    await client.query("select 1");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await note(client, 20);
  };
  const work = inTransaction(pool, (client) => oneTrip(client, [() => late(client), () => client.query("select 1/0")]));
  await expect(work).rejects.toMatchObject({ code: "22012" });
  expect(await noted()).toEqual([]);
});

it("statements that are made within another trip travel with it", async () => {
  await inTransaction(pool, (client) =>
    oneTrip(client, [
      () => note(client, 1),
      () => oneTrip(client, [() => note(client, 2), () => note(client, 3)]),
      () => note(client, 4),
    ]),
  );
  expect(await noted()).toEqual([1, 2, 3, 4]);
});

const cannotBeMade = (): Promise<never> => {
  throw new TypeError("no statement");
};

it("a statement that cannot be made leaves the connection usable, and none is made after it", async () => {
  await inTransaction(pool, async (client) => {
    const broken = oneTrip(client, [() => note(client, 5), cannotBeMade, () => note(client, 6)]);
    await expect(broken).rejects.toThrow("no statement");
    await note(client, 7);
  });
  expect(await noted()).toEqual([5, 7]);
});

it("those made before one that cannot be are waited for, and their own failure is nobody's surprise", async () => {
  const late = async (client: PoolClient) => {
    await client.query("select 1");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await note(client, 8);
    throw new RangeError("late");
  };
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  try {
    const work = inTransaction(pool, (client) => oneTrip(client, [() => late(client), cannotBeMade]));
    await expect(work).rejects.toThrow(RangeError);
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.off("unhandledRejection", listen);
  }
  expect(unhandled).toEqual([]);
  expect(await noted()).toEqual([]);
});
