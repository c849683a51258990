import { equalBytes } from "../bytes.ts";
import { type Opening, parseLeaf, verifyOpening } from "../entry/leaf.ts";
import { parseCensusDetail } from "./census-detail.ts";
import { type CensusProof, censusKey, censusLeaf, verifyCensusProof } from "./census-map.ts";
import type { CompletenessFault } from "./completeness-fault.ts";
import { isIncluded, type ListedLog } from "./listed-log.ts";

/** One census as a person is shown it: where it stands, what it says, and what its map says of that person. */
export type ClaimedCensus = {
  readonly seq: number;
  readonly index: number;
  /** `kind` and `detail` of the census entry. */
  readonly kind: Opening;
  readonly detail: Opening;
  /** How many entries there are about the person; `undefined` where the person is not in the map. */
  readonly n: number | undefined;
  readonly proof: CensusProof;
};

type Input = {
  readonly tagKey: Uint8Array;
  readonly log: ListedLog;
  readonly censuses: readonly ClaimedCensus[];
  readonly places: ReadonlyMap<number, readonly number[]>;
};
type Chain = { next: Uint8Array | undefined; n: number | undefined; index: number };

/** What the censuses say against the list (docs/spec/census.md, section 5, points 3 to 5). */
export const verifyCensuses = async (input: Input): Promise<CompletenessFault[]> => {
  const faults: CompletenessFault[] = [];
  const chain: Chain = { next: undefined, n: undefined, index: -1 };
  for (const [at, census] of input.censuses.entries()) {
    const { seq } = census;
    if (seq !== at + 1) return [...faults, { kind: "census-missing", seq: at + 1 }];
    const detail = await readCensus(input.log, census, chain);
    if (detail === undefined) return [...faults, { kind: "census-differs", seq }];
    faults.push(...judgeCount(input, { census, root: detail.root, before: { n: chain.n, index: chain.index } }));
    Object.assign(chain, { next: detail.next, n: census.n, index: census.index });
  }
  const further = chain.next ? await input.log.index.find(chain.next) : [];
  const [index] = further;
  if (index !== undefined) faults.push({ kind: "census-withheld", seq: input.censuses.length + 1, index });
  return faults;
};

/** The census's detail, where the log holds it as it is shown, and the one before calls it next. */
const readCensus = async (log: ListedLog, census: ClaimedCensus, chain: Chain) => {
  const { index, kind, detail } = census;
  if (!Number.isSafeInteger(index) || index <= chain.index || index >= log.prover.size) return undefined;
  const entry = await log.readEntry(index);
  if (!isIncluded(log, { index, entry, proof: await log.prover.inclusion(index) })) return undefined;
  if (kind.field !== "kind" || kind.value !== "census" || detail.field !== "detail") return undefined;
  if (!verifyOpening(entry, kind) || !verifyOpening(entry, detail)) return undefined;
  if (chain.next && !equalBytes(chain.next, parseLeaf(entry).operationId)) return undefined;
  const said = parseCensusDetail(detail.value);
  return said?.seq === census.seq ? said : undefined;
};

const judgeCount = (
  { tagKey, places }: Input,
  { census, root, before }: { census: ClaimedCensus; root: Uint8Array; before: Omit<Chain, "next"> },
): CompletenessFault[] => {
  const { seq, n, index } = census;
  const verdict = verifyCensusProof(root, { key: censusKey(tagKey), proof: census.proof });
  if (!verdict.ok || (verdict.commitment === undefined) !== (n === undefined)) return [{ kind: "census-differs", seq }];
  const standing = [...places]
    .filter(([, indices]) => indices.some((place) => place < index))
    .map(([number]) => number);
  if (n === undefined || verdict.commitment === undefined) {
    // Who was recorded while this census was being taken may stand before it; who stands before the last one was there.
    const stood = [...places.values()].some((indices) => indices.some((place) => place < before.index));
    return before.n !== undefined || stood ? [{ kind: "left-out", seq }] : [];
  }
  if (!isCount(n) || !equalBytes(verdict.commitment, censusLeaf(tagKey, n).commitment)) {
    return [{ kind: "census-differs", seq }];
  }
  if (before.n !== undefined && n < before.n) return [{ kind: "count-fell", seq }];
  const known = new Set(standing);
  // One fault names the first; a count beyond any log must not be counted through.
  for (let number = 1; number <= n; number++) {
    if (!known.has(number)) return [{ kind: "tail-dropped", n: number, seq }];
  }
  return [];
};

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
