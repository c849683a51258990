import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blindIndex, deriveIndexKey } from "@tipstaff/sealing";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedPostgres, startPostgres } from "../services/postgres.ts";
import { freePort } from "../services/processes.ts";
import { attackIndexes } from "./attack-register.ts";
import { type KnownPeople, readKnownPeople } from "./known-people.ts";
import { createSecretSet } from "./secret-set.ts";

const PEOPLE = 3000;
const folder = mkdtempSync("/var/tmp/tip-attack-");
const numberOf = (person: number) => ({ pay: String(1_000_000 + person), warrant: String(200_000 + person) });
let postgres: EmbeddedPostgres;
let pool: pg.Pool;
let known: KnownPeople;
let isOver: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  // Where root runs the tests, the database's own user passes through.
  chmodSync(folder, 0o711);
  const rows = Array.from({ length: PEOPLE }, (_, person) => `${numberOf(person).pay},${numberOf(person).warrant}`);
  mkdirSync(join(folder, "extract"));
  writeFileSync(join(folder, "extract", "extract.csv"), ["Pay No,Warrant No", ...rows].join("\n"));
  known = await readKnownPeople(join(folder, "extract"));
  const server = { folder: join(folder, "postgres"), port: await freePort(), password: "test" };
  postgres = await startPostgres({ ...server, logFile: join(folder, "log"), flags: ["-c", "fsync=off"] });
  pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  pool.on("connect", (client) => {
    isOver = once(client, "end");
  });
}, 120_000);
afterAll(async () => {
  await pool.end();
  // A pool has ended before its connection has.
  await isOver;
  await postgres.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => pool.query("drop table if exists person; create table person (pay_index bytea, warrant_index bytea)"));

const store = (indexOf: (field: "pay" | "warrant", number: string) => Uint8Array) =>
  pool.query("insert into person select * from unnest($1::bytea[], $2::bytea[])", [
    Array.from({ length: PEOPLE }, (_, person) => indexOf("pay", numberOf(person).pay)),
    Array.from({ length: PEOPLE }, (_, person) => indexOf("warrant", numberOf(person).warrant)),
  ]);
const secretsOf = (...secrets: Buffer[]) => {
  const set = createSecretSet(10);
  for (const secret of secrets) set.add(secret);
  return set;
};

describe("attackIndexes()", () => {
  it("learns nothing of indexes whose key it has not", async () => {
    const key = deriveIndexKey(randomBytes(32), "pay");
    await store((field, number) => blindIndex(key, field, number));
    expect(await attackIndexes(pool, known, secretsOf(randomBytes(32)))).toEqual(new Set());
  });

  it("tells the sampled people by the key of their indexes, among others", async () => {
    const root = randomBytes(32);
    await store((field, number) => blindIndex(deriveIndexKey(root, field), field, number));
    const found = await attackIndexes(pool, known, secretsOf(randomBytes(32), root));
    expect([...found]).toEqual(Array.from({ length: 200 }, (_, person) => person));
  });

  it("tells the sampled people by indexes that are plain digests", async () => {
    await store((_field, number) => createHash("sha256").update(number).digest().subarray(0, 16));
    expect((await attackIndexes(pool, known, secretsOf())).size).toBe(200);
  });

  it("takes everybody for found where an index occurs twice, since those can be counted", async () => {
    await store(() => randomBytes(16));
    await pool.query("insert into person select pay_index, null from person limit 1");
    expect((await attackIndexes(pool, known, secretsOf())).size).toBe(PEOPLE);
  });

  it("learns nothing of an empty register", async () => {
    expect(await attackIndexes(pool, known, secretsOf(randomBytes(32)))).toEqual(new Set());
  });
});
