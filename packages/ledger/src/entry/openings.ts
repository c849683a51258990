import { concat, decodeUtf8, lengthPrefixed, u16be, utf8 } from "../bytes.ts";
import { openAead } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { type ActorField, ENTRY_FIELDS, type EntryField, type EventField, type SubjectField } from "./fields.ts";
import { ENTRY_LABEL, ENTRY_VERSION, SALT_LENGTH } from "./leaf.ts";

export type PartName = "event" | "subject" | "actor";
export const PART_NAMES: readonly PartName[] = ["event", "subject", "actor"];

const EVENT_FIELDS = ENTRY_FIELDS.filter((field): field is EventField => field !== "subject" && field !== "actor");
const SUBJECT_FIELDS = ENTRY_FIELDS.filter((field): field is SubjectField => field !== "actor");
const ACTOR_FIELDS: readonly ActorField[] = ["actor"];
export const PART_FIELDS = { event: EVENT_FIELDS, subject: SUBJECT_FIELDS, actor: ACTOR_FIELDS } as const;

/** What a part held: every one of its fields ("" where absent), and the salts with which each can be shown. */
export type OpenedPart<F extends EntryField> = {
  readonly fields: { readonly [K in F]: string };
  readonly salts: { readonly [K in F]: Uint8Array };
};

const PAD_STEP = 256;
const HEAD_LENGTH = 1 + SALT_LENGTH + 2;
const aadHeads = Object.fromEntries(
  PART_NAMES.map((name) => [name, concat([ENTRY_LABEL, lengthPrefixed(utf8(name))])]),
);
export const partAad = (name: PartName, operationId: Uint8Array): Uint8Array =>
  concat([aadHeads[name] ?? ENTRY_LABEL, operationId]);

/** Length of a part's padded plaintext whose values have together this many bytes. */
export const paddedLength = (openings: number, valueBytes: number): number =>
  Math.ceil((openings * HEAD_LENGTH + valueBytes + 1) / PAD_STEP) * PAD_STEP;

export const encodePlaintext = (
  openings: readonly { slot: number; salt: Uint8Array; value: Uint8Array }[],
): Uint8Array => {
  const valueBytes = openings.reduce((sum, { value }) => sum + value.length, 0);
  const plaintext = new Uint8Array(paddedLength(openings.length, valueBytes));
  let offset = 0;
  for (const { slot, salt, value } of openings) {
    plaintext[offset] = slot;
    plaintext.set(salt, offset + 1);
    plaintext[offset + 33] = value.length >>> 8;
    plaintext[offset + 34] = value.length & 0xff;
    plaintext.set(value, offset + HEAD_LENGTH);
    offset += HEAD_LENGTH + value.length;
  }
  plaintext[offset] = 0x80;
  return plaintext;
};

const malformed = (what: string): LedgerError => new LedgerError("openings-malformed", `openings: ${what}`);

/** The three sealed parts of an openings blob. */
export const parseOpenings = (openings: Uint8Array): { readonly [P in PartName]: Uint8Array } => {
  if (openings[0] !== ENTRY_VERSION) throw malformed("the first byte must be 01");
  let offset = 1;
  const take = (name: PartName): Uint8Array => {
    const end = offset + 2 + u16be(openings, offset);
    if (offset + 2 > openings.length || end > openings.length) throw malformed(`the ${name} part is cut short`);
    const part = openings.subarray(offset + 2, end);
    offset = end;
    return part;
  };
  const parts = { event: take("event"), subject: take("subject"), actor: take("actor") };
  if (offset !== openings.length) throw malformed("there are bytes after the last part");
  return parts;
};

/**
 * Opens the event part with the log key: everything but who it was about and who did it. `undefined` where key or
 * operation id do not fit; throws `openings-malformed` for bytes that are no openings.
 */
export const openEvent = (openings: Uint8Array, operationId: Uint8Array, logKey: Uint8Array) =>
  openPart<EventField>(parseOpenings(openings).event, { name: "event", operationId, key: logKey });

/** Opens the subject part with the subject's audit key; `undefined` where it is not this person's, or nobody's. */
export const openSubject = (openings: Uint8Array, operationId: Uint8Array, auditKey: Uint8Array) =>
  openPart<SubjectField>(parseOpenings(openings).subject, { name: "subject", operationId, key: auditKey });

/** Opens the actor part with the actor's audit key; `undefined` where it is not this person's, or nobody's. */
export const openActor = (openings: Uint8Array, operationId: Uint8Array, auditKey: Uint8Array) =>
  openPart<ActorField>(parseOpenings(openings).actor, { name: "actor", operationId, key: auditKey });

const openPart = <F extends EntryField>(
  part: Uint8Array,
  { name, operationId, key }: { name: PartName; operationId: Uint8Array; key: Uint8Array },
): OpenedPart<F> | undefined => {
  const plaintext = openAead(key, partAad(name, operationId), part);
  return plaintext === undefined ? undefined : (readPlaintext(plaintext, PART_FIELDS[name]) as OpenedPart<F>);
};

const readPlaintext = (plaintext: Uint8Array, names: readonly EntryField[]): OpenedPart<EntryField> => {
  const fields: Partial<Record<EntryField, string>> = {};
  const salts: Partial<Record<EntryField, Uint8Array>> = {};
  let offset = 0;
  for (const name of names) {
    const start = offset + HEAD_LENGTH;
    const end = start + u16be(plaintext, offset + 33);
    if (start > plaintext.length || end > plaintext.length) throw malformed(`the opening of "${name}" is cut short`);
    if (ENTRY_FIELDS[plaintext[offset] ?? 255] !== name)
      throw malformed(`the opening of "${name}" is not in its place`);
    const value = decodeUtf8(plaintext.subarray(start, end));
    if (value === undefined) throw malformed(`the value of "${name}" is not UTF-8`);
    fields[name] = value;
    salts[name] = plaintext.slice(offset + 1, offset + 33);
    offset = end;
  }
  assertPadding(plaintext, offset);
  return { fields, salts } as OpenedPart<EntryField>;
};

const assertPadding = (plaintext: Uint8Array, offset: number): void => {
  const short = plaintext.length % PAD_STEP === 0 && plaintext.length - offset <= PAD_STEP;
  if (!short || plaintext[offset] !== 0x80 || plaintext.subarray(offset + 1).some((byte) => byte !== 0)) {
    throw malformed("the padding is wrong");
  }
};
