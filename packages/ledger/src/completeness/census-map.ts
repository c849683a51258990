import { concat, equalBytes, toHex, u64be, utf8 } from "../bytes.ts";
import { DIGEST_LENGTH, hmacSha256 } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { leafHash, nodeHash } from "../tree/hashes.ts";

/** One person's leaf of a census: it tells nothing without the tag key. */
export type CensusLeaf = { readonly key: Uint8Array; readonly commitment: Uint8Array };

/** Where a key's path through the map ends, and the hashes beside it from the root downwards (docs/spec/census.md, 2). */
export type CensusProof = { readonly end: CensusLeaf | undefined; readonly siblings: readonly Uint8Array[] };

/** The Merkle map of one census (docs/spec/census.md, section 2). */
export type CensusMap = {
  readonly root: Uint8Array;
  /** Of inclusion where the key is in the map, of absence otherwise. */
  readonly prove: (key: Uint8Array) => CensusProof;
};

const KEY_LABEL = utf8("tipstaff/census-key/v1");
const SALT_LABEL = utf8("tipstaff/census-salt/v1");
const CENSUS_LABEL = utf8("tipstaff/census/v1");
const KEY_BITS = 256;
const EMPTY = new Uint8Array(DIGEST_LENGTH);

const assertHash = (bytes: Uint8Array): void => {
  if (bytes.length !== DIGEST_LENGTH) throw new LedgerError("census-malformed", "census: keys and hashes are 32 bytes");
};

/** Under which key of the map a person's count stands; the same in every census. */
export const censusKey = (tagKey: Uint8Array): Uint8Array => hmacSha256(tagKey, KEY_LABEL);

/** What opens a person's leaf for this count, and for no other. Throws `census-malformed` for no count. */
export const censusSalt = (tagKey: Uint8Array, n: number): Uint8Array =>
  hmacSha256(tagKey, concat([SALT_LABEL, encodeCount(n)]));

/** The leaf that says: there are n entries about the person of this tag key. Throws `census-malformed` for no count. */
export const censusLeaf = (tagKey: Uint8Array, n: number): CensusLeaf => {
  const key = censusKey(tagKey);
  return { key, commitment: commitCount(key, { n, salt: censusSalt(tagKey, n) }) };
};

/** Whether a leaf says n, for somebody who was shown n and its salt and not the tag key. */
export const verifyCount = (leaf: CensusLeaf, shown: { n: number; salt: Uint8Array }): boolean =>
  shown.salt.length === DIGEST_LENGTH && equalBytes(leaf.commitment, commitCount(leaf.key, shown));

const commitCount = (key: Uint8Array, { n, salt }: { n: number; salt: Uint8Array }): Uint8Array =>
  hmacSha256(salt, concat([CENSUS_LABEL, key, encodeCount(n)]));

const encodeCount = (n: number): Uint8Array => {
  if (!Number.isSafeInteger(n) || n < 0) throw new LedgerError("census-malformed", "census: a count is 0 or more");
  return u64be(n);
};

const hashLeaf = ({ key, commitment }: CensusLeaf): Uint8Array => leafHash(concat([CENSUS_LABEL, key, commitment]));

const bitOf = (key: Uint8Array, depth: number): number => ((key[depth >>> 3] ?? 0) >>> (7 - (depth & 7))) & 1;

/** Builds the map of a census (docs/spec/census.md, section 2). Throws `census-malformed`, also for a key that is there twice. */
export const buildCensusMap = (leaves: Iterable<CensusLeaf>): CensusMap => {
  const sorted = [...leaves].map((leaf) => ({ leaf, order: toHex(leaf.key) }));
  for (const { leaf } of sorted) {
    assertHash(leaf.key);
    assertHash(leaf.commitment);
  }
  sorted.sort((a, b) => (a.order < b.order ? -1 : 1));
  if (sorted.some(({ order }, at) => order === sorted[at + 1]?.order)) {
    throw new LedgerError("census-malformed", "census: a key has two leaves");
  }
  const top = buildNode(
    sorted.map(({ leaf }) => leaf),
    0,
  );
  return { root: top.hash, prove: (key) => proveKey(top, key) };
};

type Node = { readonly hash: Uint8Array } & (
  | { readonly end: CensusLeaf | undefined }
  | { readonly sides: readonly [Node, Node] }
);

const NOTHING: Node = { hash: EMPTY, end: undefined };

const buildNode = (leaves: readonly CensusLeaf[], depth: number): Node => {
  const [first] = leaves;
  if (first === undefined) return NOTHING;
  if (leaves.length === 1) return { hash: hashLeaf(first), end: first };
  const split = leaves.findIndex(({ key }) => bitOf(key, depth) === 1);
  const middle = split < 0 ? leaves.length : split;
  const left = buildNode(leaves.slice(0, middle), depth + 1);
  const right = buildNode(leaves.slice(middle), depth + 1);
  return { hash: nodeHash(left.hash, right.hash), sides: [left, right] };
};

const proveKey = (top: Node, key: Uint8Array): CensusProof => {
  assertHash(key);
  const siblings: Uint8Array[] = [];
  let node = top;
  while ("sides" in node) {
    const [left, right] = node.sides;
    const goesRight = bitOf(key, siblings.length) === 1;
    siblings.push(goesRight ? left.hash : right.hash);
    node = goesRight ? right : left;
  }
  return { end: node.end, siblings };
};

/** What a proof says of a key: its commitment, that it is absent (`undefined`), or why it says nothing. */
export type CensusVerdict =
  | { readonly ok: true; readonly commitment: Uint8Array | undefined }
  | { readonly ok: false; readonly reason: "proof-malformed" | "other-path" | "other-root" };

/**
 * What the map of this root says about a key: its commitment, or `undefined` where the key is not in it. One root gives
 * one answer, whoever built it (docs/spec/census.md, section 2). Never throws.
 */
export const verifyCensusProof = (
  root: Uint8Array,
  { key, proof }: { key: Uint8Array; proof: CensusProof },
): CensusVerdict => {
  const { end, siblings } = proof;
  const hashes = [root, key, ...siblings, ...(end ? [end.key, end.commitment] : [])];
  if (siblings.length > KEY_BITS || hashes.some((hash) => hash.length !== DIGEST_LENGTH)) {
    return { ok: false, reason: "proof-malformed" };
  }
  let hash = end ? hashLeaf(end) : EMPTY;
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    if (end && bitOf(end.key, depth) !== bitOf(key, depth)) return { ok: false, reason: "other-path" };
    const sibling = siblings[depth] ?? EMPTY;
    hash = bitOf(key, depth) === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  if (!equalBytes(hash, root)) return { ok: false, reason: "other-root" };
  return { ok: true, commitment: end && equalBytes(end.key, key) ? end.commitment : undefined };
};
