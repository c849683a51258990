import { fromHex, toHex } from "../bytes.ts";
import { LedgerError } from "../error.ts";

/** What a census entry's `detail` says (docs/spec/census.md, section 3). */
export type CensusDetail = {
  /** From 1, without a break. */
  readonly seq: number;
  readonly root: Uint8Array;
  /** The operation id of the census after this one. */
  readonly next: Uint8Array;
};

const DETAIL = /^\{"next":"([0-9a-f]{64})","root":"([0-9a-f]{64})","seq":([1-9][0-9]{0,14})\}$/;

/** Throws `census-malformed` for what no detail could say. */
export const encodeCensusDetail = ({ seq, root, next }: CensusDetail): string => {
  const text = `{"next":"${toHex(next)}","root":"${toHex(root)}","seq":${seq}}`;
  if (!DETAIL.test(text)) throw new LedgerError("census-malformed", "census: two 32-byte values, and a number from 1");
  return text;
};

/** The detail, or `undefined` where a text is not exactly one. */
export const parseCensusDetail = (text: string): CensusDetail | undefined => {
  const [, next, root, seq] = DETAIL.exec(text) ?? [];
  if (next === undefined || root === undefined || seq === undefined) return undefined;
  return { seq: Number(seq), root: fromHex(root), next: fromHex(next) };
};
