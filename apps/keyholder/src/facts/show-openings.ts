import {
  ENTRY_FIELDS,
  type EntryField,
  isOpeningsOf,
  LedgerError,
  type Opening,
  openActor,
  openEvent,
  openSubject,
  parseLeaf,
  verifyOpening,
} from "@tipstaff/ledger";
import type { ConsoleRequest, ConsoleResponse } from "../console-types.ts";
import { fromBase64url, toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring } from "../roots/root-keys.ts";
import { RefusedCall } from "../server/refused-call.ts";

type Asked = ConsoleRequest<"openings/show">;

/**
 * Opens chosen fields of one entry, with the salts by which anybody can hold them against its leaf. Whom an entry is
 * about, and who did it, is shown to those alone who name that person. One journal entry, before anything is answered.
 */
export function showOpenings(keyholder: Keyholder, asked: Asked): ConsoleResponse<"openings/show"> {
  const leaf = fromBase64url(asked.leaf);
  const opened = openParts(keyholder, asked, leaf);
  const openings = asked.fields.map((name) => {
    const field = ENTRY_FIELDS.find((known) => known === name);
    const opening = field && opened.get(field);
    if (!opening || !verifyOpening(leaf, opening)) {
      throw new RefusedCall(
        "malformed",
        "a field cannot be opened: no such field, another entry's openings, or another person",
      );
    }
    return { field: opening.field, value: opening.value, salt: toBase64url(opening.salt) };
  });
  const detail = { reason: asked.reason, operationId: toBase64url(leaf.subarray(1, 33)), fields: asked.fields };
  keyholder.store.transaction(() =>
    appendJournal(keyholder.store, { at: keyholder.now(), what: "openings-shown", detail }),
  );
  return { openings };
}

function openParts(keyholder: Keyholder, asked: Asked, leaf: Uint8Array): Map<EntryField, Opening> {
  const openings = fromBase64url(asked.openings);
  const keyring = createKeyring(keyholder);
  try {
    if (!isOpeningsOf(leaf, openings)) throw new RefusedCall("malformed", "these are not the openings of this leaf");
    const { operationId } = parseLeaf(leaf);
    return new Map<EntryField, Opening>([
      ...listed(openEvent(openings, operationId, keyholder.keys.log)),
      ...listed(asked.subject && openSubject(openings, operationId, keyring.need(asked.subject).auditKey())).filter(
        ([field]) => field === "subject",
      ),
      ...listed(asked.actor && openActor(openings, operationId, keyring.need(asked.actor).auditKey())),
    ]);
  } catch (error) {
    if (error instanceof LedgerError)
      throw new RefusedCall("malformed", "leaf or openings cannot be read", { cause: error });
    throw error;
  }
}

type Opened = {
  readonly fields: Partial<Record<EntryField, string>>;
  readonly salts: Partial<Record<EntryField, Uint8Array>>;
};

function listed(part: Opened | "" | undefined): [EntryField, Opening][] {
  if (!part) return [];
  return ENTRY_FIELDS.flatMap((field) => {
    const { [field]: value } = part.fields;
    const { [field]: salt } = part.salts;
    return value === undefined || salt === undefined ? [] : [[field, { field, value, salt }]];
  });
}
