import { createHash } from "node:crypto";
import { type EntryFields, operationId, type PreparedEntry, prepareEntry } from "./index.ts";

export const testKey = (name: string): Uint8Array => createHash("sha256").update(name).digest();

const fields: EntryFields = {
  kind: "release",
  recipient: "card-contractor",
  subject: "00000000-0000-4000-8000-000000000001",
  actor: "00000000-0000-4000-8000-000000000002",
  at: "2026-03-01T09:30:00.000Z",
  facts: '{"rank":"Constable"}',
};

/** Random enough for a test, and cheap. */
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

export type TestEntry = PreparedEntry & { readonly operationId: Uint8Array; readonly requestDigest: Uint8Array };

/** A release of its own for each reference. */
export const testEntry = (reference: string): TestEntry => {
  const id = operationId({
    operationKey: testKey("operation"),
    kind: "release",
    recipient: "card-contractor",
    reference,
  });
  const keys = { log: testKey("log"), subjectAudit: testKey("subject"), actorAudit: testKey("actor") };
  const made = prepareEntry({ operationId: id, fields, tag: { tagKey: testKey("tag"), n: 1 }, keys, random });
  return { operationId: id, requestDigest: testKey(reference), ...made };
};
