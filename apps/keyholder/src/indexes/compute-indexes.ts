import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { blindIndex, deriveIndexKey, fingerprintRow } from "@tipstaff/sealing";
import { toBase64url } from "../encoding.ts";
import type { Keyholder } from "../keyholder.ts";

/** Blind indexes and fingerprints, in the order asked. Values are indexed as they come: the desk normalises. */
export function computeIndexes(
  { keys }: Keyholder,
  { numbers, rows }: KeyholderRequest<"indexes/compute">,
): KeyholderResponse<"indexes/compute"> {
  const indexKeys = new Map<string, Uint8Array>();
  const indexKeyOf = (field: string): Uint8Array => {
    const known = indexKeys.get(field) ?? deriveIndexKey(keys.index, field);
    indexKeys.set(field, known);
    return known;
  };
  return {
    numbers: numbers.map(({ field, value }) => toBase64url(blindIndex(indexKeyOf(field), field, value))),
    rows: rows.map((row) => toBase64url(fingerprintRow(keys.fingerprint, row))),
  };
}
