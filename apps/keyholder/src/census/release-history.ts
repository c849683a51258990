import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { chargeOpenings } from "../budget/budget-calls.ts";
import { toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { keysOf } from "../roots/root-keys.ts";

/**
 * One person's tag key and audit key, for a history of that person (ledger census.md, section 8). Costs an opening, and
 * is charged and journalled before anything is answered; also for a person without a root, so that neither tells.
 */
export function releaseHistoryKeys(
  keyholder: Keyholder,
  { person, actor, purpose }: KeyholderRequest<"history/keys">,
): KeyholderResponse<"history/keys"> {
  const { store } = keyholder;
  return store.transaction(() => {
    const charged = chargeOpenings(keyholder, 1);
    if (!charged.ok) return { ok: false, reason: "budget-exceeded", left: charged.left };
    const keys = keysOf(keyholder, person);
    const detail = { actor, purpose, released: keys !== undefined };
    appendJournal(store, { at: keyholder.now(), what: "history-keys-released", detail, persons: [person] });
    if (keys === undefined) return { ok: false, reason: "unknown-person" };
    return { ok: true, tagKey: toBase64url(keys.tagKey()), auditKey: toBase64url(keys.auditKey()) };
  });
}
