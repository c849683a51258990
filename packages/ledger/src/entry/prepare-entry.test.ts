import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { ENTRY_FIELDS, ENTRY_KINDS, type EntryFields, type EntryKind } from "./fields.ts";
import { entryTag, isOpeningsOf, LEAF_LENGTH, operationId, parseLeaf, verifyOpening } from "./leaf.ts";
import { openActor, openEvent, openSubject } from "./openings.ts";
import { type EntryInput, prepareEntry } from "./prepare-entry.ts";

type Vector = {
  name: string;
  random: string;
  reference: string;
  n?: number;
  fields: EntryFields & { kind: EntryKind };
  operationId: string;
  tag: string;
  salts: string[];
  leaf: string;
  leafHash: string;
  openings: string;
};
const vectors: { entries: Vector[] } = JSON.parse(
  readFileSync(new URL("../../vectors/entry.json", import.meta.url), "utf8"),
);
const key = (name: string): Uint8Array => createHash("sha256").update(`tipstaff test key ${name}`).digest();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const streamOf = (seed: string) => {
  let buffer = Buffer.alloc(0);
  let block = 0;
  return (length: number): Uint8Array => {
    while (buffer.length < length) {
      const counter = Buffer.alloc(4);
      counter.writeUInt32BE(block++);
      buffer = Buffer.concat([buffer, createHash("sha256").update(seed).update(counter).digest()]);
    }
    const taken = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return taken;
  };
};

const inputOf = (fields: EntryFields, more: Partial<EntryInput> = {}): EntryInput => ({
  operationId: operationId({
    operationKey: key("operation"),
    kind: fields.kind,
    recipient: fields.recipient ?? "",
    reference: "a",
  }),
  fields,
  tag: fields.subject ? { tagKey: key("tag"), n: 1 } : undefined,
  keys: {
    log: key("log"),
    subjectAudit: fields.subject ? key("subject audit") : undefined,
    actorAudit: fields.actor ? key("actor audit") : undefined,
  },
  random: (length) => randomBytes(length),
  ...more,
});

const full: EntryFields = {
  kind: "release",
  recipient: "card-contractor",
  subject: "person-1",
  actor: "person-2",
  at: "2026-03-01T09:30:00.000Z",
  agreement: "aa".repeat(32),
  order: "order-1",
  job: "job-1",
  attempt: "1",
  request: "bb".repeat(32),
  facts: '{"rank":"Constable"}',
  detail: '{"line":"1"}',
};

describe("prepareEntry()", () => {
  test.each(vectors.entries)("makes the bytes of the specification: $name", (vector) => {
    const { fields } = vector;
    const id = operationId({
      operationKey: key("operation"),
      kind: fields.kind,
      recipient: fields.recipient ?? "",
      reference: vector.reference,
    });
    expect(hex(id)).toBe(vector.operationId);
    const tag = vector.n === undefined ? undefined : { tagKey: key("tag"), n: vector.n };
    const made = prepareEntry(inputOf(fields, { operationId: id, tag, random: streamOf(vector.random) }));
    expect(hex(made.leaf)).toBe(vector.leaf);
    expect(hex(made.openings)).toBe(vector.openings);
    expect(hex(parseLeaf(made.leaf).tag)).toBe(vector.tag);
    if (tag) expect(hex(entryTag(tag.tagKey, tag.n))).toBe(vector.tag);
  });

  test("makes leaves of one length, and openings of lengths in steps of 256, for every kind", () => {
    for (const kind of ENTRY_KINDS) {
      const { leaf, openings } = prepareEntry(inputOf({ kind, at: full.at }));
      expect(leaf.length).toBe(LEAF_LENGTH);
      expect((openings.length - 1 - 3 * (2 + 28)) % 256).toBe(0);
    }
  });

  test("makes entries about somebody and about nobody equally long", () => {
    const { subject: _, actor: __, ...nobody } = full;
    const id = "0".repeat(36);
    const about = prepareEntry(inputOf({ ...full, subject: id, actor: id }));
    expect(prepareEntry(inputOf(nobody)).openings.length).toBe(about.openings.length);
  });

  test("gives back every field to who holds the key, and the salts that show it", () => {
    const text = fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" });
    fc.assert(
      fc.property(fc.constantFrom(...ENTRY_KINDS), text, (kind, note) => {
        const fields = { ...full, kind, detail: JSON.stringify({ note }) };
        const input = inputOf(fields);
        const { leaf, openings } = prepareEntry(input);
        const event = openEvent(openings, input.operationId, key("log"));
        const subject = openSubject(openings, input.operationId, key("subject audit"));
        const actor = openActor(openings, input.operationId, key("actor audit"));
        const { actor: _, ...known } = fields;
        expect(subject?.fields).toEqual(known);
        expect({ ...event?.fields, subject: full.subject }).toEqual(known);
        expect(actor?.fields).toEqual({ actor: full.actor });
        expect(isOpeningsOf(leaf, openings)).toBe(true);
        const salts = { ...subject?.salts, ...actor?.salts };
        for (const field of ENTRY_FIELDS) {
          const salt = salts[field] ?? new Uint8Array(0);
          const value = fields[field] ?? "";
          expect(verifyOpening(leaf, { field, salt, value })).toBe(true);
          expect(verifyOpening(leaf, { field, salt, value: `${value}x` })).toBe(false);
          expect(verifyOpening(leaf, { field: field === "job" ? "order" : "job", salt, value })).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("commits to an absent field as to an empty value", () => {
    const input = inputOf({ kind: "run-opened", at: full.at });
    const { leaf, openings } = prepareEntry(input);
    const event = openEvent(openings, input.operationId, key("log"));
    expect(event?.fields.job).toBe("");
    const salt = event?.salts.job ?? new Uint8Array(0);
    expect(verifyOpening(leaf, { field: "job", salt, value: "" })).toBe(true);
  });

  test.each<[string, Partial<Record<keyof EntryFields, string>>]>([
    ["an unknown kind", { kind: "printed" }],
    ["no kind", { kind: "" }],
    ["no instant", { at: "" }],
    ["an instant without milliseconds", { at: "2026-03-01T09:30:00Z" }],
    ["an instant with an offset", { at: "2026-03-01T09:30:00.000+00:00" }],
    ["a day that does not exist", { at: "2026-02-30T09:30:00.000Z" }],
    ["a recipient with a space", { recipient: "card contractor" }],
    ["a subject with a line break", { subject: "a\nb" }],
    ["a digest in capitals", { agreement: "AA".repeat(32) }],
    ["a digest that is too short", { request: "aa" }],
    ["attempt 0", { attempt: "0" }],
    ["an attempt with a leading zero", { attempt: "01" }],
    ["facts with spaces", { facts: '{ "a": 1 }' }],
    ["facts out of order", { facts: '{"b":1,"a":2}' }],
    ["facts with a name twice", { facts: '{"a":1,"a":1}' }],
    ["facts with a fraction", { facts: '{"a":1.5}' }],
    ["facts with an exponent", { facts: '{"a":1e3}' }],
    ["facts that are a list", { facts: "[]" }],
    ["facts that are no JSON", { facts: "{" }],
    ["facts with a lone surrogate", { facts: '{"a":"\\ud800"}' }],
    ["detail of more than 8,192 bytes", { detail: JSON.stringify({ a: "é".repeat(4097) }) }],
  ])("refuses %s", (_, change) => {
    // The hostile value is one that the type forbids.
    const fields = { ...full, ...change } as EntryFields;
    expect(() => prepareEntry(inputOf(fields))).toThrow(expect.objectContaining({ code: "entry-invalid" }));
  });

  test.each<[string, Partial<EntryInput>]>([
    ["a subject without a tag", { tag: undefined }],
    ["a subject without its audit key", { keys: { log: key("log"), actorAudit: key("a") } }],
    ["an actor without an audit key", { keys: { log: key("log"), subjectAudit: key("a") } }],
    ["n = 0", { tag: { tagKey: key("tag"), n: 0 } }],
    ["an operation id of another length", { operationId: new Uint8Array(31) }],
  ])("refuses %s", (_, more) => {
    expect(() => prepareEntry(inputOf(full, more))).toThrow(LedgerError);
  });
});

describe("openings", () => {
  const input = inputOf(full);
  const { leaf, openings } = prepareEntry(input);

  test("are not opened by another key, as another part, or for another operation", () => {
    const other = Uint8Array.from(input.operationId, (byte) => byte ^ 1);
    expect(openEvent(openings, input.operationId, key("another"))).toBeUndefined();
    expect(openEvent(openings, other, key("log"))).toBeUndefined();
    expect(openSubject(openings, input.operationId, key("log"))).toBeUndefined();
    expect(openActor(openings, input.operationId, key("subject audit"))).toBeUndefined();
  });

  test("with any bit changed are not the leaf's, and do not open or throw the package's own error", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: openings.length * 8 - 1 }), (bit) => {
        const changed = Uint8Array.from(openings);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(isOpeningsOf(leaf, changed)).toBe(false);
        const opened = [openEvent, openSubject, openActor].map((open, i) => {
          try {
            return open(changed, input.operationId, key(["log", "subject audit", "actor audit"][i] ?? ""));
          } catch (error) {
            expect(error).toBeInstanceOf(LedgerError);
            return undefined;
          }
        });
        expect(opened.filter((part) => part === undefined).length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  test("cut short, or with more after them, are refused", () => {
    for (let length = 0; length < openings.length; length += 7) {
      expect(() => openEvent(openings.subarray(0, length), input.operationId, key("log"))).toThrow(LedgerError);
    }
    const longer = Buffer.concat([openings, Buffer.of(0)]);
    expect(() => openEvent(longer, input.operationId, key("log"))).toThrow(LedgerError);
  });
});

describe("parseLeaf()", () => {
  test.each([0, 480, 482])("refuses %i bytes", (length) => {
    const bytes = new Uint8Array(length);
    bytes[0] = 1;
    expect(() => parseLeaf(bytes)).toThrow(expect.objectContaining({ code: "leaf-malformed" }));
  });
  test("refuses another version", () => {
    const bytes = new Uint8Array(LEAF_LENGTH);
    bytes[0] = 2;
    expect(() => parseLeaf(bytes)).toThrow(expect.objectContaining({ code: "leaf-malformed" }));
  });
});

describe("operationId()", () => {
  test("tells apart what only its boundaries tell apart", () => {
    const id = (kind: string, recipient: string, reference: string) =>
      hex(operationId({ operationKey: key("operation"), kind, recipient, reference }));
    const ids = [id("ab", "c", "d"), id("a", "bc", "d"), id("a", "b", "cd"), id("abc", "", "d"), id("", "abc", "d")];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
