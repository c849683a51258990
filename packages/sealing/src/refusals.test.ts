import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeJobContext,
  JOB_BUCKETS,
  openJob,
  openRecord,
  parseJobContext,
  type RecordPlace,
  sealJob,
  sealRecord,
  unwrapJobKey,
  unwrapSecret,
  wrapJobKey,
  wrapSecret,
} from "./index.ts";
import { expectRefusal, filled, flipBit } from "./test-support.ts";

const key = filled(1);
const other = filled(2);
const place: RecordPlace = { personId: "p-1", field: "details", dekVersion: 1, recordVersion: 1 };
const elsewhere: { [part: string]: RecordPlace } = {
  "another person": { ...place, personId: "p-2" },
  "another field": { ...place, field: "portrait" },
  "another DEK version": { ...place, dekVersion: 2 },
  "another record version": { ...place, recordVersion: 2 },
};
const fields = {
  force: "exampleshire-police",
  recipient: "cardmaker",
  order: "o-1",
  job: "j-1",
  agreementDigest: "a".repeat(64),
  templateDigest: "b".repeat(64),
  categories: ["pd:Name", "pd:Picture"],
};
const context = encodeJobContext(fields);
const otherContexts = {
  "another force": { ...fields, force: "otherforce" },
  "another recipient": { ...fields, recipient: "other" },
  "another order": { ...fields, order: "o-2" },
  "another job": { ...fields, job: "j-2" },
  "another agreement": { ...fields, agreementDigest: "c".repeat(64) },
  "another template": { ...fields, templateDigest: "c".repeat(64) },
  "fewer categories": { ...fields, categories: ["pd:Name"] },
  "more categories": { ...fields, categories: [...fields.categories, "tip:Rank"] },
};
const facts = { cardKind: "warrant-card", categories: ["pd:Name"], postSensitivity: "ordinary", rank: "PC" };
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

describe("openRecord()", () => {
  test.each(Object.entries(elsewhere))("refuses a field moved to %s", (_, moved) => {
    const sealed = sealRecord(key, place, filled(7, 40));
    expectRefusal(() => openRecord(key, moved, sealed), "not-authentic");
  });
  test("refuses another DEK", () => {
    expectRefusal(() => openRecord(other, place, sealRecord(key, place, filled(7, 40))), "not-authentic");
  });
  test("refuses any turned bit, and any length cut", () => {
    const sealed = sealRecord(key, place, filled(7, 10));
    for (let bit = 0; bit < sealed.length * 8; bit += 3) {
      expectRefusal(() => openRecord(key, place, flipBit(sealed, bit)), "not-authentic");
    }
    for (let length = 0; length < sealed.length; length += 5) {
      expectRefusal(() => openRecord(key, place, sealed.subarray(0, length)), "not-authentic", "malformed");
    }
  });
  test("gives back what was sealed, and shows its length to a step only", () => {
    fc.assert(
      fc.property(bytes(1200), fc.constantFrom("details" as const, "portrait" as const), (plaintext, field) => {
        const sealed = sealRecord(key, { ...place, field }, plaintext);
        expect((sealed.length - 28) % (field === "details" ? 256 : 4096)).toBe(0);
        expect(Buffer.compare(openRecord(key, { ...place, field }, sealed), plaintext)).toBe(0);
      }),
    );
  });
  test("gives another ciphertext each time", () => {
    const seen = new Set(Array.from({ length: 2000 }, () => Buffer.from(sealRecord(key, place, key)).toString("hex")));
    expect(seen.size).toBe(2000);
  });
  test("refuses a key of another length, and versions that are no counts", () => {
    expectRefusal(() => sealRecord(filled(1, 16), place, key), "invalid-input");
    expectRefusal(() => sealRecord(key, { ...place, dekVersion: -1 }, key), "invalid-input");
    expectRefusal(() => sealRecord(key, { ...place, recordVersion: 1.5 }, key), "invalid-input");
    expectRefusal(() => sealRecord(key, { ...place, personId: "\ud800" }, key), "invalid-input");
  });
});

describe("unwrapSecret()", () => {
  test("refuses another name, another key and any turned bit", () => {
    const wrapped = wrapSecret(key, "root/p-1", other);
    expectRefusal(() => unwrapSecret(key, "root/p-2", wrapped), "not-authentic");
    expectRefusal(() => unwrapSecret(key, "secret/p-1", wrapped), "not-authentic");
    expectRefusal(() => unwrapSecret(other, "root/p-1", wrapped), "not-authentic");
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      expectRefusal(() => unwrapSecret(key, "root/p-1", flipBit(wrapped, bit)), "not-authentic");
    }
  });
});

describe("openJob()", () => {
  const pages = filled(5, 1000);
  const sealed = sealJob({ contentKey: key, context, head: { a: 1 }, pages });

  test.each(Object.entries(otherContexts))("refuses a job shown with %s", (_, changed) => {
    const open = () => openJob({ contentKey: key, context: encodeJobContext(changed), sealed });
    expectRefusal(open, "not-authentic");
  });
  test("refuses another key, another length, and turned bits", () => {
    expectRefusal(() => openJob({ contentKey: other, context, sealed }), "not-authentic");
    expectRefusal(() => openJob({ contentKey: key, context, sealed: sealed.subarray(1) }), "malformed");
    expectRefusal(() => openJob({ contentKey: key, context, sealed: new Uint8Array(0) }), "malformed");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: sealed.length * 8 - 1 }), (bit) =>
        expectRefusal(() => openJob({ contentKey: key, context, sealed: flipBit(sealed, bit) }), "not-authentic"),
      ),
    );
  });
  test("gives back head and pages, and shows the bucket only", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 120_000 }), (head, length) => {
        const made = sealJob({ contentKey: key, context, head, pages: filled(9, length) });
        expect(JOB_BUCKETS).toContain(made.length - 28);
        const opened = openJob({ contentKey: key, context, sealed: made });
        expect(JSON.stringify(opened.head)).toBe(JSON.stringify(head));
        expect(opened.pages.length).toBe(length);
      }),
      { numRuns: 40 },
    );
  });
  test("fills a bucket to its last byte, and refuses one byte above the largest", () => {
    const largest = JOB_BUCKETS.at(-1) ?? 0;
    const seal = (length: number) => sealJob({ contentKey: key, context, head: 1, pages: new Uint8Array(length) });
    expect(seal(largest - 9).length).toBe(largest + 28);
    expectRefusal(() => seal(largest - 8), "too-large");
    expect(seal(32 * 1024 - 9).length).toBe(32 * 1024 + 28);
    expect(seal(32 * 1024 - 8).length).toBe(48 * 1024 + 28);
  });
});

describe("unwrapJobKey()", () => {
  const wrapped = wrapJobKey(key, context, { contentKey: other, facts });

  test.each(Object.entries(otherContexts))("refuses a wrapped key shown with %s", (_, changed) => {
    expectRefusal(() => unwrapJobKey(key, encodeJobContext(changed), wrapped), "not-authentic");
  });
  test("refuses another person's job key, any turned bit, and a wrapped secret of another kind", () => {
    expectRefusal(() => unwrapJobKey(other, context, wrapped), "not-authentic");
    expectRefusal(() => unwrapJobKey(key, context, wrapSecret(key, "root/p-1", other)), "not-authentic");
    for (let bit = 0; bit < wrapped.length * 8; bit += 3) {
      expectRefusal(() => unwrapJobKey(key, context, flipBit(wrapped, bit)), "not-authentic");
    }
  });
});

describe("parseJobContext()", () => {
  test("gives back what encodeJobContext() took, categories sorted", () => {
    expect(parseJobContext(encodeJobContext({ ...fields, categories: ["pd:Picture", "pd:Name"] }))).toEqual(fields);
    expect(parseJobContext(encodeJobContext({ ...fields, categories: [] })).categories).toEqual([]);
  });
  test("refuses every prefix, every longer text, and unsorted or repeated categories", () => {
    for (let end = 0; end < context.length; end++) {
      expectRefusal(() => parseJobContext(context.subarray(0, end)), "malformed");
    }
    expectRefusal(() => parseJobContext(Uint8Array.from([...context, 0, 0])), "malformed");
    const swap = (from: string, to: string) =>
      Uint8Array.from(Buffer.from(Buffer.from(context).toString("latin1").replace(from, to), "latin1"));
    expectRefusal(() => parseJobContext(swap("pd:Name pd:Picture", "pd:Picture pd:Name")), "malformed");
    expectRefusal(() => parseJobContext(swap("pd:Name pd:Picture", "pd:Picture  pd:Name")), "malformed");
    expectRefusal(() => parseJobContext(swap("A256GCM", "A128GCM")), "malformed");
    expectRefusal(() => parseJobContext(swap("aaaa", "AAAA")), "malformed");
  });
  test("reads every bytes without throwing anything but SealingError", () => {
    fc.assert(
      fc.property(bytes(300), (tail) =>
        expectRefusal(() => parseJobContext(Uint8Array.from([...context.subarray(0, 15), ...tail])), "malformed"),
      ),
    );
  });
  test("encodeJobContext() refuses empty names, wrong digests, and categories twice or with a space", () => {
    const wrong = [
      { ...fields, job: "" },
      { ...fields, agreementDigest: "A".repeat(64) },
      { ...fields, categories: ["pd:Name", "pd:Name"] },
      { ...fields, categories: ["pd:Name pd:Picture"] },
    ];
    for (const context of wrong) expectRefusal(() => encodeJobContext(context), "invalid-input");
  });
});
