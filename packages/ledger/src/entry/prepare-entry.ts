import { concat, lengthPrefixed } from "../bytes.ts";
import { DIGEST_LENGTH, GCM_TAG_LENGTH, NONCE_LENGTH, sealAead, sha256 } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { ENTRY_FIELDS, type EntryFields, encodeFields } from "./fields.ts";
import { commit, ENTRY_VERSION, encodeLeaf, entryTag, SALT_LENGTH } from "./leaf.ts";
import { encodePlaintext, PART_FIELDS, PART_NAMES, type PartName, paddedLength, partAad } from "./openings.ts";

/** What an entry is made of. */
export type EntryInput = {
  readonly operationId: Uint8Array;
  readonly fields: EntryFields;
  /** Whose n-th entry this is; `undefined` for an entry about nobody. */
  readonly tag: { readonly tagKey: Uint8Array; readonly n: number } | undefined;
  /** 32-byte keys. The subject's and the actor's are given exactly when the entry has a subject, an actor. */
  readonly keys: {
    readonly log: Uint8Array;
    readonly subjectAudit?: Uint8Array | undefined;
    readonly actorAudit?: Uint8Array | undefined;
  };
  /** So many fresh bytes of a cryptographic generator. */
  readonly random: (length: number) => Uint8Array;
};

/** What the intake takes: the leaf (public, 481 bytes) and its encrypted openings. */
export type PreparedEntry = { readonly leaf: Uint8Array; readonly openings: Uint8Array };

/** Length of the ids that the random stand-in of an absent part is sized for: a UUID's. */
const USUAL_ID_LENGTH = 36;
const SALTS_LENGTH = ENTRY_FIELDS.length * SALT_LENGTH;
const SUBJECT = ENTRY_FIELDS.indexOf("subject");
const ACTOR = ENTRY_FIELDS.indexOf("actor");

/**
 * Makes a leaf and its openings (docs/spec/entry.md). Throws `entry-invalid` where a field has the wrong form, or
 * subject, tag and keys do not go together.
 */
export const prepareEntry = ({ operationId, fields, tag, keys, random }: EntryInput): PreparedEntry => {
  if (operationId.length !== DIGEST_LENGTH) throw new LedgerError("entry-invalid", "an operation id is 32 bytes long");
  const values = encodeFields(fields);
  const hasSubject = values[SUBJECT]?.length !== 0;
  if (hasSubject !== (tag !== undefined) || hasSubject !== (keys.subjectAudit !== undefined)) {
    throw new LedgerError("entry-invalid", "subject, tag and the subject's audit key go together or not at all");
  }
  if ((values[ACTOR]?.length !== 0) !== (keys.actorAudit !== undefined)) {
    throw new LedgerError("entry-invalid", "actor and the actor's audit key go together or not at all");
  }
  // Drawn at once, because each draw has its price: the salts, then a nonce for each part.
  const drawn = random(SALTS_LENGTH + 3 * NONCE_LENGTH);
  const slots = values.map((value, slot) => ({
    slot,
    value,
    salt: drawn.subarray(slot * SALT_LENGTH, (slot + 1) * SALT_LENGTH),
  }));
  const seal = (name: PartName, key: Uint8Array | undefined): Uint8Array => {
    const start = SALTS_LENGTH + PART_NAMES.indexOf(name) * NONCE_LENGTH;
    const nonce = drawn.subarray(start, start + NONCE_LENGTH);
    return lengthPrefixed(sealPart({ name, key, nonce, operationId, slots, random }));
  };
  const openings = concat([
    Uint8Array.of(ENTRY_VERSION),
    seal("event", keys.log),
    seal("subject", keys.subjectAudit),
    seal("actor", keys.actorAudit),
  ]);
  const leaf = encodeLeaf({
    operationId,
    tag: tag === undefined ? random(DIGEST_LENGTH) : entryTag(tag.tagKey, tag.n),
    openingsDigest: sha256(openings),
    commitments: slots.map(({ slot, salt, value }) => commit(slot, { salt, operationId, value })),
  });
  return { leaf, openings };
};

type Slot = { slot: number; salt: Uint8Array; value: Uint8Array };
type PartInput = {
  name: PartName;
  key: Uint8Array | undefined;
  nonce: Uint8Array;
  operationId: Uint8Array;
  slots: readonly Slot[];
  random: (length: number) => Uint8Array;
};

const slotsOf = Object.fromEntries(
  Object.entries(PART_FIELDS).map(([name, fields]) => [name, fields.map((field) => ENTRY_FIELDS.indexOf(field))]),
);

const sealPart = ({ name, key, nonce, operationId, slots, random }: PartInput): Uint8Array => {
  const held = (slotsOf[name] ?? []).flatMap((slot) => slots[slot] ?? []);
  if (key === undefined) {
    const valueBytes = held.reduce((sum, { value }) => sum + value.length, USUAL_ID_LENGTH);
    return random(NONCE_LENGTH + paddedLength(held.length, valueBytes) + GCM_TAG_LENGTH);
  }
  return sealAead({ key, nonce, aad: partAad(name, operationId) }, encodePlaintext(held));
};
