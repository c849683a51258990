import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { numberOf, textOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";

/** Whether any hold stands against a recipient. */
export const isHeld = (store: Store, recipient: string): boolean =>
  store.get("select 1 from hold where recipient = ? and lifted = 0 limit 1", recipient) !== undefined;

/** Holds that stand. */
export const openHolds = (store: Store): { recipient: string; hold: string }[] =>
  store
    .all("select recipient, hold from hold where lifted = 0 order by hold")
    .map((row) => ({ recipient: textOf(row, "recipient"), hold: textOf(row, "hold") }));

/** Stops releases from this instant; `false` for the id of a hold that was lifted, or is another recipient's. */
export function placeHold(
  { store, now }: Keyholder,
  { recipient, hold, reason }: KeyholderRequest<"holds/place">,
): KeyholderResponse<"holds/place"> {
  return store.transaction(() => {
    const known = store.get("select recipient, lifted from hold where hold = ?", hold);
    if (known !== undefined) {
      return { placed: textOf(known, "recipient") === recipient && numberOf(known, "lifted") === 0 };
    }
    store.run("insert into hold (hold, recipient, reason) values (?, ?, ?)", hold, recipient, reason);
    appendJournal(store, { at: now(), what: "hold-placed", detail: { recipient, hold, reason } });
    return { placed: true };
  });
}

/** Two different people lift a hold; `true` too where it is lifted already, `false` where there is none. */
export function liftHold(
  { store, now }: Keyholder,
  { recipient, hold, people }: KeyholderRequest<"holds/lift">,
): KeyholderResponse<"holds/lift"> {
  if (new Set(people).size !== 2) throw new RefusedCall("same-person", "a hold is lifted by two different people");
  return store.transaction(() => {
    const known = store.get("select lifted from hold where hold = ? and recipient = ?", hold, recipient);
    if (known === undefined) return { lifted: false };
    if (numberOf(known, "lifted") === 0) {
      store.run("update hold set lifted = 1 where hold = ?", hold);
      appendJournal(store, { at: now(), what: "hold-lifted", detail: { recipient, hold, people } });
    }
    return { lifted: true };
  });
}
