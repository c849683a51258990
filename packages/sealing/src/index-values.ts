import { assertKey, concat, lengthPrefixedText, toHex, utf8 } from "./bytes.ts";
import { hkdfExpand32, hkdfExtract, hmacSha256 } from "./crypto.ts";

/** Length of blind indexes, fingerprints and pseudonyms, in bytes. */
export const INDEX_LENGTH = 16;

/** The fields that have blind indexes: unique numbers alone, as names would give themselves away by frequency. */
export const INDEXED_FIELDS = ["pay", "warrant"] as const;
export type IndexedField = (typeof INDEXED_FIELDS)[number];

const INDEX_LABEL = utf8("tipstaff/v1/index");
const FINGERPRINT_LABEL = utf8("tipstaff/v1/fingerprint");
const PSEUDONYM_LABEL = utf8("tipstaff/v1/pseudonym");

/** The key of one field's blind indexes, from the index root (docs/spec/key-hierarchy.md). */
export const deriveIndexKey = (indexRoot: Uint8Array, field: string): Uint8Array => {
  assertKey(indexRoot, "an index root");
  return hkdfExpand32(hkdfExtract(indexRoot), utf8(`tipstaff/v1/index/${field}`));
};

/**
 * Blind index of a unique number: equal numbers of one field give equal indexes, and nothing else can be learnt without
 * the key. The caller normalises the value. 16 bytes.
 */
export const blindIndex = (indexKey: Uint8Array, field: string, normalisedValue: string): Uint8Array => {
  assertKey(indexKey, "an index key");
  const message = concat([INDEX_LABEL, lengthPrefixedText(field), lengthPrefixedText(normalisedValue)]);
  return hmacSha256(indexKey, message).subarray(0, INDEX_LENGTH);
};

/** Keyed fingerprint of a whole canonical row: says that it did not change. 16 bytes. */
export const fingerprintRow = (fingerprintKey: Uint8Array, canonicalRow: string): Uint8Array => {
  assertKey(fingerprintKey, "a fingerprint key");
  return hmacSha256(fingerprintKey, concat([FINGERPRINT_LABEL, utf8(canonicalRow)])).subarray(0, INDEX_LENGTH);
};

/** A person's pseudonym in release facts, which outlives the person's keys. 32 hex digits. */
export const pseudonymOf = (pseudonymKey: Uint8Array, personId: string): string => {
  assertKey(pseudonymKey, "a pseudonym key");
  const digest = hmacSha256(pseudonymKey, concat([PSEUDONYM_LABEL, lengthPrefixedText(personId)]));
  return toHex(digest.subarray(0, INDEX_LENGTH));
};
