import { concat, equalBytes, lengthPrefixed, u64be, utf8 } from "../bytes.ts";
import { DIGEST_LENGTH, hmacSha256, sha256 } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { ENTRY_FIELDS, type EntryField } from "./fields.ts";

/** Length of every version 1 leaf, in bytes. */
export const LEAF_LENGTH = 481;
export const ENTRY_VERSION = 0x01;
/** Length of a commitment's salt, in bytes. */
export const SALT_LENGTH = 32;

const COMMITMENTS_AT = 97;
export const ENTRY_LABEL = utf8("tipstaff/entry/v1");
const OPERATION_LABEL = utf8("tipstaff/operation/v1");
const TAG_LABEL = utf8("tipstaff/tag/v1");
const commitmentHeads = ENTRY_FIELDS.map((field) => concat([ENTRY_LABEL, lengthPrefixed(utf8(field))]));

/** A leaf as read (docs/spec/entry.md, section 3). */
export type Leaf = {
  readonly operationId: Uint8Array;
  readonly tag: Uint8Array;
  /** SHA-256 of the openings that belong to this leaf. */
  readonly openingsDigest: Uint8Array;
  /** Twelve commitments, by slot. */
  readonly commitments: readonly Uint8Array[];
};

/** One field shown to somebody: with it they compute the commitment again. */
export type Opening = { readonly field: EntryField; readonly salt: Uint8Array; readonly value: string };

/**
 * The 32-byte id of one event, the same for ever for the same event and opaque without the key
 * (docs/spec/entry.md, section 3). `recipient` is "" where there is none.
 */
export const operationId = (input: {
  operationKey: Uint8Array;
  kind: string;
  recipient: string;
  reference: string;
}): Uint8Array => {
  const texts = [input.kind, input.recipient, input.reference].map((text) => lengthPrefixed(utf8(text)));
  return hmacSha256(input.operationKey, concat([OPERATION_LABEL, ...texts]));
};

/** The tag of a person's n-th entry, n from 1 (docs/spec/entry.md, section 3). */
export const entryTag = (tagKey: Uint8Array, n: number): Uint8Array => {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new LedgerError("entry-invalid", "a person's entries are counted from 1");
  return hmacSha256(tagKey, concat([TAG_LABEL, u64be(n)]));
};

export const commit = (slot: number, input: { salt: Uint8Array; operationId: Uint8Array; value: Uint8Array }) => {
  const head = commitmentHeads[slot];
  if (head === undefined) throw new RangeError("no such slot");
  return hmacSha256(input.salt, concat([head, input.operationId, input.value]));
};

export const encodeLeaf = (leaf: Leaf): Uint8Array =>
  concat([Uint8Array.of(ENTRY_VERSION), leaf.operationId, leaf.tag, leaf.openingsDigest, ...leaf.commitments]);

/** Reads a version 1 leaf; throws `leaf-malformed` for any other length or version (docs/spec/entry.md, section 4). */
export const parseLeaf = (bytes: Uint8Array): Leaf => {
  assertLeaf(bytes);
  return {
    operationId: operationIdOf(bytes),
    tag: bytes.slice(33, 65),
    openingsDigest: bytes.slice(65, COMMITMENTS_AT),
    commitments: ENTRY_FIELDS.map((_, slot) => commitmentOf(bytes, slot)),
  };
};

const assertLeaf = (bytes: Uint8Array): void => {
  if (bytes.length !== LEAF_LENGTH || bytes[0] !== ENTRY_VERSION) {
    throw new LedgerError("leaf-malformed", `a leaf is ${LEAF_LENGTH} bytes that begin with 01`);
  }
};

const operationIdOf = (leaf: Uint8Array): Uint8Array => leaf.slice(1, 33);

const commitmentOf = (leaf: Uint8Array, slot: number): Uint8Array =>
  leaf.slice(COMMITMENTS_AT + slot * DIGEST_LENGTH, COMMITMENTS_AT + (slot + 1) * DIGEST_LENGTH);

/** Whether the leaf commits to this value of this field. Throws `leaf-malformed` when the bytes are no leaf. */
export const verifyOpening = (leaf: Uint8Array, opening: Opening): boolean => {
  assertLeaf(leaf);
  const slot = ENTRY_FIELDS.indexOf(opening.field);
  if (slot < 0 || opening.salt.length !== SALT_LENGTH || !opening.value.isWellFormed()) return false;
  const { salt, value } = opening;
  const expected = commit(slot, { salt, operationId: operationIdOf(leaf), value: utf8(value) });
  return equalBytes(commitmentOf(leaf, slot), expected);
};

/** Whether these openings are the ones that belong to the leaf. Throws `leaf-malformed` when the bytes are no leaf. */
export const isOpeningsOf = (leaf: Uint8Array, openings: Uint8Array): boolean =>
  equalBytes(parseLeaf(leaf).openingsDigest, sha256(openings));
