import { randomUUID } from "node:crypto";
import { parseLeaf, parseVerifierKey } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { rebuildDatabase } from "@tipstaff/ledger/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { serveDesk } from "../serve.ts";
import { mendCounts } from "./mend-counts.ts";

/** More than are asked about at once. */
const REGISTER = 1100;

let test: TestDesk;
/** The desk that starts on the restored database. */
let desk: Desk;
let stop: (() => Promise<void>) | undefined;
let people: readonly string[];
const [BUSY, ONCE, IDLE, AHEAD, ERASED, LAST] = [0, 1, 2, 3, 4, REGISTER - 1];
const person = (at: number): string => people[at] ?? "";

beforeAll(async () => {
  test = await startTestDesk();
  people = await addPeople();
  await write(test.desk, BUSY, 150);
  for (const at of [ONCE, AHEAD, ERASED, LAST]) await write(test.desk, at, 1);
  await restore();
});
afterAll(async () => {
  await stop?.();
  await test?.stop();
});

/** Roots at the keyholder and rows in the register, by id, as the desk goes through them. */
const addPeople = async (): Promise<readonly string[]> => {
  const ids = Array.from({ length: REGISTER }, () => randomUUID()).sort();
  const batchId = randomUUID();
  await test.desk.keyholder.call("roots/create", { batchId, persons: ids });
  await test.desk.keyholder.call("roots/confirm", { batchId });
  await test.desk.pool.query("insert into import (id, state) values ($1, 'done')", [batchId]);
  const insert =
    "insert into person (id, import_id, seen_import_id) select id, $2, $2 from unnest($1::uuid[]) as t(id)";
  await test.desk.pool.query(insert, [ids, batchId]);
  return ids;
};

const write = async (on: Desk, at: number, count: number): Promise<void> => {
  const drafts = Array.from({ length: count }, () => {
    const said = { kind: "received", reference: randomUUID(), at: on.now().toISOString() };
    return { ...said, subject: person(at) };
  });
  const { operationIds } = await recordEntries(on, drafts, async () => undefined);
  await on.sequencer.waitLogged(operationIds, { timeoutMs: 60_000 });
};

/** An old backup of the database comes back, and the ledger is rebuilt into it from the folders. */
const restore = async (): Promise<void> => {
  const { pool, keyholder, sequencer, origin } = test.desk;
  await sequencer.stop();
  await keyholder.call("roots/erase", { person: person(ERASED), actor: randomUUID(), at: new Date().toISOString() });
  await pool.query("update person set tag_n = 0 where tag_n > 0");
  await pool.query("update person set tag_n = 3 where id = $1", [person(BUSY)]);
  await pool.query("update person set tag_n = 7 where id = $1", [person(AHEAD)]);
  await pool.query("delete from ledger.entry; delete from ledger.waiting; delete from ledger.intake");
  await pool.query("delete from ledger.head");
  const { logVerifierKey } = await keyholder.call("status", {});
  await rebuildDatabase({
    ...{ pool, origin, verifierKeys: [parseVerifierKey(logVerifierKey)] },
    tiles: createFolderStorage(test.config.folders.tiles),
    openings: createFolderStorage(test.config.folders.openings),
  });
};

const countsOf = async (...places: number[]): Promise<number[]> => {
  const { rows } = await test.desk.pool.query<{ id: string; tag_n: string }>("select id, tag_n from person");
  const counts = new Map(rows.map(({ id, tag_n }) => [id, Number(tag_n)]));
  return places.map((at) => counts.get(person(at)) ?? -1);
};

/** How often each number of a person, from 1, stands in the log. */
const timesLogged = async (at: number, upTo: number): Promise<number[]> => {
  const { rows } = await desk.pool.query<{ leaf: Buffer }>("select leaf from ledger.intake");
  const there = rows.map(({ leaf }) => Buffer.from(parseLeaf(leaf).tag).toString("base64url"));
  const asked = { reason: "test", people: [{ person: person(at), from: 1, to: upTo }] };
  const { tags } = await desk.keyholder.call("tags/compute", asked);
  return (tags[0] ?? []).map((tag) => there.filter((other) => other === tag).length);
};

describe("at the start of a desk whose database lost entries", () => {
  it("each person's count is raised to the log's last number, and nobody's is lowered", async () => {
    expect(await countsOf(BUSY, ONCE, IDLE, AHEAD, LAST)).toEqual([3, 0, 0, 7, 0]);
    const before = await test.desk.keyholder.call("journal/head", {});
    ({ desk, stop } = await serveDesk(test.config));
    expect(await countsOf(BUSY, ONCE, IDLE, AHEAD, LAST)).toEqual([150, 1, 0, 7, 1]);
    expect((await desk.keyholder.call("journal/head", {})).size).toBeGreaterThan(before.size);
  });

  it("the next entry about each of them has the number after it: none stands twice and none is left out", async () => {
    for (const at of [BUSY, ONCE, IDLE, LAST]) await write(desk, at, 2);
    expect(await timesLogged(BUSY, 153)).toEqual([...Array.from({ length: 152 }, () => 1), 0]);
    for (const at of [ONCE, LAST]) expect(await timesLogged(at, 4)).toEqual([1, 1, 1, 0]);
    expect(await timesLogged(IDLE, 3)).toEqual([1, 1, 0]);
  });

  it("whoever has no keys any more keeps the count, and is named", async () => {
    expect(await countsOf(ERASED)).toEqual([0]);
    const { withoutKeys } = await mendCounts(desk, { id: "1", fromSize: 0, toSize: 1_000_000 });
    expect(withoutKeys).toEqual([person(ERASED)]);
  });

  it("doing it again changes nothing", async () => {
    const everybody = people.map((_, at) => at);
    const counts = await countsOf(...everybody);
    expect(await mendCounts(desk, { id: "1", fromSize: 0, toSize: 1_000_000 })).toMatchObject({ raised: 0 });
    expect(await countsOf(...everybody)).toEqual(counts);
  });
});
