import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { orderStatement } from "@tipstaff/release-protocol";
import { parseJobContext, SealingError, wrapJobKey } from "@tipstaff/sealing";
import { fromBase64url, fromHex, toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring } from "../roots/root-keys.ts";
import { RefusedCall } from "../server/refused-call.ts";

/** Wraps content keys, with the facts of their disclosure, under the people's job keys. */
export function wrapJobs(
  keyholder: Keyholder,
  { jobs }: KeyholderRequest<"jobs/wrap">,
): KeyholderResponse<"jobs/wrap"> {
  const keyring = createKeyring(keyholder);
  const wrapped = jobs.map(({ person, context, key, facts }) => {
    const contextBytes = fromBase64url(context);
    assertContext(contextBytes, facts.categories);
    const content = { contentKey: fromBase64url(key), facts };
    return toBase64url(wrapJobKey(keyring.need(person).jobKey(), contextBytes, content));
  });
  return { wrapped };
}

function assertContext(context: Uint8Array, categories: readonly string[]): void {
  try {
    const { categories: sorted } = parseJobContext(context);
    if (sorted.join(" ") === [...categories].sort().join(" ")) return;
  } catch (cause) {
    if (!(cause instanceof SealingError)) throw cause;
    throw new RefusedCall("malformed", "a job's context is not one of version 1", { cause });
  }
  throw new RefusedCall("malformed", "a job's facts must name the categories of its context");
}

/** Signs an order's manifest with the force key. */
export function signOrder(
  { store, keys, now }: Keyholder,
  { order, digest }: KeyholderRequest<"orders/sign">,
): KeyholderResponse<"orders/sign"> {
  const signature = toBase64url(keys.forceSigner.sign(orderStatement(fromHex(digest))));
  return store.transaction(() => {
    appendJournal(store, { at: now(), what: "order-signed", detail: { order, digest } });
    return { signature };
  });
}
