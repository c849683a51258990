import { type CensusLeaf, encodeCensusDetail } from "@tipstaff/ledger";
import type { Pool, PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { DeskError } from "../server/desk-error.ts";
import { encodeLeaves, parseLeaves, readCensus, writeLeaves } from "./census-leaves-files.ts";
import { type Census, recallLastCensus } from "./list-censuses.ts";
import { type MapThread, withMapThread } from "./map-thread.ts";

export type TakenCensus = {
  readonly seq: number;
  /** Leaves in its map. */
  readonly people: number;
  /** Of these, leaves of people whose keys are gone, as they last were. */
  readonly frozen: number;
};

/** Any number that no other advisory lock of this database has. */
const LOCK = 7_304_002;
/** People in one question: the keyholder answers a few dozen milliseconds long, and releases wait behind it. */
const BATCH = 512;
const LOGGED_WITHIN_MS = 10_000;

/**
 * Takes a census (ledger census.md, sections 3 and 4): all counts in one snapshot, read after the census before is
 * logged; the leaves durable before the entry; the entry committed after the snapshot. `undefined` while another one is
 * being taken.
 */
export async function takeCensus(desk: Desk): Promise<TakenCensus | undefined> {
  const client = await desk.pool.connect();
  try {
    const { rows } = await client.query<{ mine: boolean }>("select pg_try_advisory_lock($1) mine", [LOCK]);
    if (rows[0]?.mine !== true) return undefined;
    try {
      return await withMapThread((thread) => takeAlone(desk, thread));
    } finally {
      await client.query("select pg_advisory_unlock($1)", [LOCK]);
    }
  } finally {
    client.release();
  }
}

async function takeAlone(desk: Desk, thread: MapThread): Promise<TakenCensus> {
  const last = await recallLastCensus(desk);
  if (last) await desk.sequencer.waitLogged([last.operationId], { timeoutMs: LOGGED_WITHIN_MS });
  const takenAt = desk.now();
  const seq = (last?.seq ?? 0) + 1;
  const { leaves: living, next } = await askLeaves(desk, seq, await readCounts(desk.pool));
  const frozen = last === undefined ? [] : await findFrozen(desk, { last, living, thread });
  const leaves = encodeLeaves([...living, ...frozen]);
  const root = (await thread.build(leaves))?.root;
  if (root === undefined) throw new DeskError("broken-invariant", "Two people have the same key in a census");
  await writeLeaves(desk, { seq, root }, leaves);
  const draft = {
    ...{ kind: "census", reference: String(seq), at: takenAt.toISOString() },
    detail: encodeCensusDetail({ seq, root, next }),
  };
  await recordEntries(desk, [draft], (inside, [entry]) =>
    insertCensus(inside, { seq, root: Buffer.from(root), operationId: entry?.operationId, takenAt }),
  );
  return { seq, people: living.length + frozen.length, frozen: frozen.length };
}

type Count = { readonly person: string; readonly n: number };

/** One statement sees one snapshot. */
async function readCounts(pool: Pool): Promise<readonly Count[]> {
  const { rows } = await pool.query<{ id: string; tag_n: string }>("select id, tag_n from person");
  return rows.map(({ id, tag_n }) => ({ person: id, n: Number(tag_n) }));
}

async function askLeaves({ keyholder }: Desk, seq: number, counts: readonly Count[]) {
  const leaves: CensusLeaf[] = [];
  let answer = await keyholder.call("census/leaves", { seq, people: counts.slice(0, BATCH) });
  for (let start = BATCH; ; start += BATCH) {
    for (const leaf of answer.leaves) if (leaf !== null) leaves.push(fromBase64url(leaf));
    if (start >= counts.length) return { leaves, next: Buffer.from(answer.next, "base64url") };
    answer = await keyholder.call("census/leaves", { seq, people: counts.slice(start, start + BATCH) });
  }
}

const fromBase64url = ({ key, commitment }: { key: string; commitment: string }): CensusLeaf => ({
  key: Buffer.from(key, "base64url"),
  commitment: Buffer.from(commitment, "base64url"),
});

/** Leaves of the last census that nobody has the keys of any more: they go on as they were. */
async function findFrozen(
  desk: Desk,
  { last, living, thread }: { last: Census; living: readonly CensusLeaf[]; thread: MapThread },
): Promise<readonly CensusLeaf[]> {
  const known = new Set(living.map(({ key }) => Buffer.from(key).toString("hex")));
  const { leaves } = await readCensus(desk, last, { thread });
  return parseLeaves(leaves).filter(({ key }) => !known.has(Buffer.from(key).toString("hex")));
}

async function insertCensus(
  client: PoolClient,
  { seq, root, operationId, takenAt }: Omit<Census, "operationId"> & { operationId: Buffer | undefined },
): Promise<void> {
  if (operationId === undefined) throw new DeskError("broken-invariant", "The keyholder prepared no entry of a census");
  await client.query("insert into census (seq, root, operation_id, taken_at) values ($1, $2, $3, $4)", [
    ...[seq, root, operationId, takenAt],
  ]);
}
