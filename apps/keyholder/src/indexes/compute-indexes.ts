import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { blindIndex, deriveIndexKey, fingerprintRow } from "@tipstaff/sealing";
import { chargeIndexes, chargeOpenings } from "../budget/budget-calls.ts";
import { toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";

/**
 * Blind indexes and fingerprints, in the order asked. Values are indexed as they come: the desk normalises. Charged and
 * journalled before they are answered, all or none: whoever holds the register learns from each whose a number is.
 */
export function computeIndexes(
  keyholder: Keyholder,
  { purpose, reference, actor, numbers, rows }: KeyholderRequest<"indexes/compute">,
): KeyholderResponse<"indexes/compute"> {
  const { store, keys } = keyholder;
  const at = keyholder.now();
  return store.transaction(() => {
    const charged =
      purpose === "search"
        ? chargeOpenings(keyholder, new Set(numbers.map(({ value }) => value)).size + rows.length)
        : chargeIndexes(keyholder, numbers.length + rows.length);
    if (!charged.ok) return { ok: false, reason: "budget-exceeded", left: charged.left };
    if (numbers.length + rows.length > 0) {
      const by = actor === undefined ? {} : { actor };
      const detail = { purpose, reference, ...by, numbers: numbers.length, rows: rows.length };
      appendJournal(store, { at, what: "indexes-computed", detail });
    }
    const indexKeyOf = indexKeys(keys.index);
    return {
      ok: true,
      numbers: numbers.map(({ field, value }) => toBase64url(blindIndex(indexKeyOf(field), field, value))),
      rows: rows.map((row) => toBase64url(fingerprintRow(keys.fingerprint, row))),
    };
  });
}

/** Each field's key, derived once. */
function indexKeys(root: Uint8Array): (field: string) => Uint8Array {
  const derived = new Map<string, Uint8Array>();
  return (field) => {
    const key = derived.get(field) ?? deriveIndexKey(root, field);
    derived.set(field, key);
    return key;
  };
}
