import { randomBytes } from "node:crypto";
import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { derivePersonKeys, systemRandom } from "@tipstaff/sealing";
import { toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { numberOf, textOf } from "../store/columns.ts";
import { keysOf, wrapRoot } from "./root-keys.ts";

/**
 * How long an unconfirmed root's DEK is answered again without charge. Nothing may have been sealed under it yet; a desk
 * that never confirms must not read for ever outside the budget.
 */
const REASK_MS = 3_600_000;
const FIRST_DEK = 1;

/** New roots, durable before their DEKs are answered. Asked again for the same batch it makes none and answers the same. */
export function createRoots(
  keyholder: Keyholder,
  { batchId, persons }: KeyholderRequest<"roots/create">,
): KeyholderResponse<"roots/create"> {
  const { store } = keyholder;
  const now = keyholder.now();
  const made: string[] = [];
  const deks = store.transaction(() => {
    const answers = persons.map((person) => {
      const existing = existingDek(keyholder, { batchId, person, now });
      if (existing !== undefined) return existing;
      const root = systemRandom(32);
      store.run(
        "insert into root (person, wrapped, batch, made_at) values (?, ?, ?, ?)",
        ...[person, wrapRoot(keyholder, person, root), batchId, now.getTime()],
      );
      made.push(person);
      return derivePersonKeys(root).dek(FIRST_DEK);
    });
    if (made.length > 0) {
      appendJournal(store, { at: now, what: "roots-created", detail: { batch: batchId }, persons: made });
    }
    return answers;
  });
  return { deks: deks.map(toBase64url) };
}

function existingDek(keyholder: Keyholder, asked: { batchId: string; person: string; now: Date }) {
  const row = keyholder.store.get("select batch, confirmed, made_at from root where person = ?", asked.person);
  if (row === undefined) return undefined;
  if (numberOf(row, "confirmed") === 1 || textOf(row, "batch") !== asked.batchId) {
    throw new RefusedCall("root-exists", "a person has a root already; open the DEK within the budget instead");
  }
  if (asked.now.getTime() - numberOf(row, "made_at") > REASK_MS) {
    throw new RefusedCall("batch-too-old", "this batch was never confirmed; abandon it and begin a new one");
  }
  return keysOf(keyholder, asked.person)?.dek(FIRST_DEK);
}

/** The batch's roots stay. */
export function confirmRoots(
  { store, now }: Keyholder,
  { batchId }: KeyholderRequest<"roots/confirm">,
): KeyholderResponse<"roots/confirm"> {
  return store.transaction(() => {
    const confirmed = store.run("update root set confirmed = 1 where batch = ? and confirmed = 0", batchId);
    if (confirmed > 0) {
      appendJournal(store, { at: now(), what: "roots-confirmed", detail: { batch: batchId, count: confirmed } });
    }
    return { confirmed };
  });
}

/** The batch's unconfirmed roots go. */
export function abandonRoots(
  { store, now }: Keyholder,
  { batchId }: KeyholderRequest<"roots/abandon">,
): KeyholderResponse<"roots/abandon"> {
  return store.transaction(() => {
    const abandoned = store.run("delete from root where batch = ? and confirmed = 0", batchId);
    if (abandoned > 0) {
      appendJournal(store, { at: now(), what: "roots-abandoned", detail: { batch: batchId, count: abandoned } });
    }
    return { abandoned };
  });
}

/** Destroys a person's root, and with it every key of that person; `false` where there was none. */
export function eraseRoot(
  { store, now }: Keyholder,
  { person, actor, at }: KeyholderRequest<"roots/erase">,
): KeyholderResponse<"roots/erase"> {
  const erased = store.transaction(() => {
    // Overwritten first: what secure_delete zeroes is the row as it stands, and an older page may live on in a copy.
    if (store.run("update root set wrapped = ? where person = ?", randomBytes(60), person) === 0) return false;
    store.run("delete from root where person = ?", person);
    appendJournal(store, { at: now(), what: "root-erased", detail: { actor, asked: at }, persons: [person] });
    return true;
  });
  if (erased) store.settle();
  return { erased };
}
