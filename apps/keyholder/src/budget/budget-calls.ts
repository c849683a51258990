import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import type { ConsoleRequest, ConsoleResponse } from "../console-types.ts";
import { toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring } from "../roots/root-keys.ts";
import { numberOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";
import { type BudgetDay, dayOf, openingsLeft, takeOpenings } from "./budget.ts";

const FIRST_DEK = 1;

function readDay(store: Store, day: string): BudgetDay {
  const row = store.get("select raised, used from budget where day = ?", day);
  return row === undefined ? { raised: 0, used: 0 } : { raised: numberOf(row, "raised"), used: numberOf(row, "used") };
}

function writeDay(store: Store, day: string, { raised, used }: BudgetDay): void {
  store.run(
    "insert into budget (day, raised, used) values (?, ?, ?) on conflict do update set raised = ?2, used = ?3",
    ...[day, raised, used],
  );
}

/** Takes `count` of a day's budget, written down before anything is answered; all or none. */
function charge(
  { store, now }: Keyholder,
  { of, daily, count }: { of: "" | "/indexes"; daily: number; count: number },
): { ok: true } | { ok: false; left: number } {
  const day = `${dayOf(now())}${of}`;
  const taken = takeOpenings(daily, readDay(store, day), count);
  if (taken.ok && count > 0) writeDay(store, day, taken.day);
  return taken.ok ? { ok: true } : taken;
}

/** Call it inside the transaction of what is opened. */
export const chargeOpenings = (keyholder: Keyholder, count: number) =>
  charge(keyholder, { of: "", daily: keyholder.dailyOpenings, count });

/** Numbers and rows of imports have a budget of their own: an import asks for many, and opens nobody. */
export const chargeIndexes = (keyholder: Keyholder, count: number) =>
  charge(keyholder, { of: "/indexes", daily: keyholder.dailyIndexes, count });

/** Openings left today. */
export function budgetLeft({ store, dailyOpenings, now }: Keyholder): number {
  return openingsLeft(dailyOpenings, readDay(store, dayOf(now())));
}

/**
 * Opens DEKs, `null` for people without a root. Charged and journalled before they are answered; all or none. Who is viewed
 * is charged and journalled whether there is such a person or not, so that neither tells.
 */
export function openDeks(
  keyholder: Keyholder,
  { persons, purpose, reference, actor }: KeyholderRequest<"deks/open">,
): KeyholderResponse<"deks/open"> {
  const { store } = keyholder;
  const at = keyholder.now();
  return store.transaction(() => {
    const keyring = createKeyring(keyholder);
    const deks = persons.map((person) => keyring.find(person)?.dek(FIRST_DEK));
    const asked = [...new Set(persons.filter((_, place) => purpose === "view" || deks[place] !== undefined))];
    const charged = chargeOpenings(keyholder, asked.length);
    if (!charged.ok) return { ok: false, reason: "budget-exceeded", left: charged.left };
    if (asked.length > 0) {
      appendJournal(store, { at, what: "deks-opened", detail: { purpose, reference, actor }, persons: asked });
    }
    return { ok: true, deks: deks.map((dek) => (dek === undefined ? null : toBase64url(dek))) };
  });
}

/** Raises today's budget, until midnight UTC. */
export function raiseBudget(
  { store, dailyOpenings, now }: Keyholder,
  { openings, reason }: ConsoleRequest<"budget/raise">,
): ConsoleResponse<"budget/raise"> {
  const at = now();
  return store.transaction(() => {
    const day = readDay(store, dayOf(at));
    const raised = { raised: day.raised + openings, used: day.used };
    writeDay(store, dayOf(at), raised);
    appendJournal(store, { at, what: "budget-raised", detail: { openings, reason } });
    return { left: openingsLeft(dailyOpenings, raised) };
  });
}
