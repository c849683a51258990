import { utf8 } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { isCanonicalObject } from "./canonical-json.ts";

/** The twelve fields of an entry in the order of their slots (docs/spec/entry.md, section 1). */
export const ENTRY_FIELDS = [
  "kind",
  "recipient",
  "subject",
  "actor",
  "at",
  "agreement",
  "order",
  "job",
  "attempt",
  "request",
  "facts",
  "detail",
] as const;
/** The name of a field. */
export type EntryField = (typeof ENTRY_FIELDS)[number];
/** The field under the actor's audit key (docs/spec/entry.md, section 5). */
export type ActorField = "actor";
/** The fields that the subject's audit key opens. */
export type SubjectField = Exclude<EntryField, ActorField>;
/** The fields that the log key opens. */
export type EventField = Exclude<SubjectField, "subject">;

/** What an entry may be about (docs/spec/entry.md, section 2). */
export const ENTRY_KINDS = [
  "agreement-activated",
  "run-opened",
  "run-closed",
  "order-sealed",
  "release",
  "receipt",
  "received",
  "handed-over",
  "hold-placed",
  "hold-lifted",
  "attempt-approved",
  "opened",
  "erased",
  "journal-head",
  "imported",
  "validity-changed",
  "disclosure",
  "census",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** A new entry's fields; what is left out is absent. */
export type EntryFields = { readonly kind: EntryKind; readonly at: string } & {
  readonly [F in Exclude<EntryField, "kind" | "at">]?: string | undefined;
};

/** Longest `facts` and longest `detail`, in bytes. */
export const MAX_JSON_BYTES = 8192;

const kinds: ReadonlySet<string> = new Set(ENTRY_KINDS);
/** Whether a text is one of the closed list of kinds. */
export const isEntryKind = (text: string): text is EntryKind => kinds.has(text);

const ID = /^[\x21-\x7e]{1,64}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const COUNT = /^[1-9][0-9]{0,8}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const isInstant = (text: string): boolean => {
  if (!INSTANT.test(text)) return false;
  const milliseconds = Date.parse(text);
  // Date.parse rolls 30 February over to March; an instant that does not come back is none.
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text;
};
const isJson = (text: string): boolean => text.length <= MAX_JSON_BYTES && isCanonicalObject(text);

const forms: { readonly [F in EntryField]: (text: string) => boolean } = {
  kind: isEntryKind,
  recipient: (text) => NAME.test(text),
  subject: (text) => ID.test(text),
  actor: (text) => ID.test(text),
  at: isInstant,
  agreement: (text) => DIGEST.test(text),
  order: (text) => ID.test(text),
  job: (text) => ID.test(text),
  attempt: (text) => COUNT.test(text),
  request: (text) => DIGEST.test(text),
  facts: isJson,
  detail: isJson,
};

/** The values of all slots in order, each checked against its form; throws `entry-invalid` naming the field. */
export const encodeFields = (fields: EntryFields): readonly Uint8Array[] =>
  ENTRY_FIELDS.map((field) => {
    const text = fields[field] ?? "";
    if (text === "" && field !== "kind" && field !== "at") return EMPTY;
    if (!forms[field](text)) {
      throw new LedgerError(
        "entry-invalid",
        `entry field "${field}" has not the form that docs/spec/entry.md gives it`,
      );
    }
    const value = utf8(text);
    if (value.length > MAX_JSON_BYTES) {
      throw new LedgerError("entry-invalid", `entry field "${field}" is longer than ${MAX_JSON_BYTES} bytes`);
    }
    return value;
  });

const EMPTY = new Uint8Array(0);
