import { censusLeaf, operationId } from "@tipstaff/ledger";
import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { toBase64url } from "../encoding.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring } from "../roots/root-keys.ts";

/**
 * The leaves by which a census says how many entries there are about each person, in the order given; none for a person
 * whose keys are gone, whose last leaf stays as it was. Nothing is kept.
 */
export function censusLeaves(
  keyholder: Keyholder,
  { seq, people }: KeyholderRequest<"census/leaves">,
): KeyholderResponse<"census/leaves"> {
  const keyring = createKeyring(keyholder);
  const leaves = people.map(({ person, n }) => {
    const keys = keyring.find(person);
    if (keys === undefined) return null;
    const { key, commitment } = censusLeaf(keys.tagKey(), n);
    return { key: toBase64url(key), commitment: toBase64url(commitment) };
  });
  const next = operationId({
    operationKey: keyholder.keys.operation,
    kind: "census",
    recipient: "",
    reference: String(seq + 1),
  });
  return { leaves, next: toBase64url(next) };
}
