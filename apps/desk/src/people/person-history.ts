import {
  type CensusProof,
  censusKey,
  censusLeaf,
  createProver,
  entryTag,
  type Prover,
  tileReaderOf,
} from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { readCensus } from "../census/census-leaves-files.ts";
import { listCensuses, showCensuses } from "../census/list-censuses.ts";
import { type MapThread, withMapThread } from "../census/map-thread.ts";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";

export type HistoryKeys = { readonly tagKey: Buffer; readonly auditKey: Buffer };
type Found = { readonly n: number; readonly index: number; readonly leaf: Buffer; readonly openings: Buffer };

/** Beyond the register's own count, which a restore may have set back; the verifier looks as far. */
const LOOKAHEAD = 64;

/**
 * One person's history as it is handed out (ledger census.md, section 8): all entries about that person under the
 * published checkpoint, and what proves that there are no more. Reads the intake once, and the leaves of every census.
 */
export async function buildHistory(desk: Desk, person: string, { tagKey, auditKey }: HistoryKeys) {
  const head = await desk.sequencer.head();
  if (head === undefined) throw new DeskError("unavailable", "The log has no checkpoint yet; ask again");
  const highest = (await readCount(desk, person)) + LOOKAHEAD;
  const readTile = tileReaderOf(createFolderStorage(desk.folders.tiles));
  const prover = createProver({ size: head.size, readTile });
  const entries = [];
  for (const { n, index, leaf, openings } of await findEntries(desk, { tagKey, highest, size: head.size })) {
    const proof = (await prover.inclusion(index)).map(toBase64);
    entries.push({ n, index, leaf: toBase64(leaf), openings: toBase64(openings), proof });
  }
  return {
    ...{ version: 1, origin: desk.origin, checkpoint: Buffer.from(head.checkpoint).toString("utf8") },
    ...{ tagKey: tagKey.toString("hex"), auditKey: auditKey.toString("hex") },
    entries,
    censuses: await withMapThread((thread) => proveCensuses(desk, { tagKey, highest, prover, thread })),
  };
}

async function readCount({ pool }: Desk, person: string): Promise<number> {
  const { rows } = await pool.query<{ n: string }>("select tag_n n from person where id = $1", [person]);
  return Number(rows[0]?.n ?? 0);
}

/** A leaf's tag stands after its version and operation id (ledger entry.md, section 4). */
const BY_TAG = `
  select idx, leaf, openings from ledger.intake join ledger.entry using (seq)
  where substring(leaf from 34 for 32) = any($1::bytea[]) and idx < $2 order by idx`;

async function findEntries(
  { pool }: Desk,
  { tagKey, highest, size }: { tagKey: Uint8Array; highest: number; size: number },
): Promise<readonly Found[]> {
  const tags = Array.from({ length: highest }, (_, at) => Buffer.from(entryTag(tagKey, at + 1)));
  const numbers = new Map(tags.map((tag, at) => [tag.toString("hex"), at + 1]));
  const { rows } = await pool.query<{ idx: string; leaf: Buffer; openings: Buffer }>(BY_TAG, [tags, size]);
  return rows.map(({ idx, leaf, openings }) => {
    const n = numbers.get(leaf.subarray(33, 65).toString("hex")) ?? 0;
    return { n, index: Number(idx), leaf, openings };
  });
}

async function proveCensuses(
  desk: Desk,
  { tagKey, highest, prover, thread }: { tagKey: Uint8Array; highest: number; prover: Prover; thread: MapThread },
) {
  const known = await listCensuses(desk.pool);
  const stored = await desk.sequencer.entries(known.map(({ operationId }) => operationId));
  const shown = await showCensuses(
    desk,
    known.map(({ operationId }) => operationId),
  );
  const counts = countsOf(tagKey, highest);
  const censuses = [];
  for (const [at, census] of known.entries()) {
    const { index, leaf } = stored[at] ?? {};
    const words = shown[at];
    if (index === undefined || leaf === undefined || index >= prover.size || words === undefined) break;
    const { proof } = await readCensus(desk, census, { thread, key: censusKey(tagKey) });
    if (proof === undefined) throw new DeskError("broken-invariant", "A census was read without its proof");
    const n = counts.get(toHex(proof.end?.commitment ?? new Uint8Array()));
    censuses.push({
      ...{ seq: census.seq, index, leaf: toBase64(leaf), proof: (await prover.inclusion(index)).map(toBase64) },
      ...{ kind: toShown(words.kind), detail: toShown(words.detail) },
      ...{ n: n ?? null, map: toMapProof(proof) },
    });
  }
  return censuses;
}

/** By commitment, in hex: which count a leaf of this person says. */
function countsOf(tagKey: Uint8Array, highest: number): ReadonlyMap<string, number> {
  const counts = Array.from({ length: highest + 1 }, (_, n) => n);
  return new Map(counts.map((n) => [toHex(censusLeaf(tagKey, n).commitment), n]));
}

const toShown = ({ value, salt }: { value: string; salt: string }) => ({
  value,
  salt: Buffer.from(salt, "base64url").toString("hex"),
});

const toMapProof = ({ end, siblings }: CensusProof) => ({
  end: end ? { key: toHex(end.key), commitment: toHex(end.commitment) } : null,
  siblings: siblings.map(toBase64),
});

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
