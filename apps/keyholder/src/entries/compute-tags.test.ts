import { randomUUID } from "node:crypto";
import { parseLeaf } from "@tipstaff/ledger";
import { keyholderCalls } from "@tipstaff/release-protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyholderHandlers as calls } from "../calls.ts";
import { readJournal } from "../journal/journal.ts";
import { base64url, startTestKeyholder, type TestKeyholder } from "../test-scenario.ts";
import { computeTags } from "./compute-tags.ts";

let held: TestKeyholder;
beforeEach(async () => {
  held = await startTestKeyholder();
});
afterEach(() => held.end());

const [first, second] = [randomUUID(), randomUUID()];
const at = "2026-03-01T09:30:00.000Z";
const createRoots = () => {
  const batchId = randomUUID();
  calls["roots/create"](held.keyholder, { batchId, persons: [first, second] });
  calls["roots/confirm"](held.keyholder, { batchId });
};
const ask = (people: { person: string; from: number; to: number }[]) =>
  computeTags(held.keyholder, { reason: "restore 1", people }).tags;
const accepts = (people: { person: string; from: number; to: number }[], reason = "restore 1") =>
  keyholderCalls["tags/compute"].request.safeParse({ reason, people }).success;

describe("tags/compute", () => {
  test("answers the tags that the entries of these numbers carry", () => {
    createRoots();
    const drafts = [3, 4].map((n) => ({ kind: "received", reference: `r/${n}`, subject: first, n, at }));
    const prepared = calls["entries/prepare"](held.keyholder, { entries: drafts });
    if (prepared instanceof Promise) throw new Error("synchronous");
    const carried = prepared.entries.map(({ leaf }) => base64url(parseLeaf(Buffer.from(leaf, "base64url")).tag));
    const [tags, others] = ask([
      { person: first, from: 2, to: 5 },
      { person: second, from: 3, to: 3 },
    ]);
    expect(tags).toHaveLength(4);
    expect(tags?.slice(1, 3)).toEqual(carried);
    expect(others).toHaveLength(1);
    expect(carried).not.toContain(others?.[0]);
  });

  test("has none for a person who was never there, or was erased", () => {
    createRoots();
    calls["roots/erase"](held.keyholder, { person: first, actor: second, at });
    const people = [first, randomUUID(), second].map((person) => ({ person, from: 1, to: 2 }));
    expect(ask(people).map((tags) => tags?.length)).toEqual([undefined, undefined, 2]);
  });

  test("writes one journal entry a call, with why and about how many", () => {
    createRoots();
    const { length } = readJournal(held.keyholder.store, { from: 0, limit: 1000 });
    ask([first, second, randomUUID()].map((person) => ({ person, from: 1, to: 1 })));
    const [entry, ...more] = readJournal(held.keyholder.store, { from: length, limit: 1000 });
    expect(more).toEqual([]);
    expect(entry?.what).toBe("tags-computed");
    expect(JSON.parse(entry?.detail ?? "")).toMatchObject({ reason: "restore 1", known: 2, count: 3 });
  });

  test("refuses numbers below one, a range that runs backwards, more than 65,536 tags, and no reason", () => {
    const many = (count: number, to: number) => Array.from({ length: count }, () => ({ person: first, from: 1, to }));
    expect(accepts(many(1, 1))).toBe(true);
    expect(accepts(many(1024, 64))).toBe(true);
    for (const people of [many(1024, 65), many(1, 65_537), many(1, Number.MAX_SAFE_INTEGER), many(4097, 1)]) {
      expect(accepts(people)).toBe(false);
    }
    expect(accepts([{ person: first, from: 0, to: 1 }])).toBe(false);
    expect(accepts([{ person: first, from: 3, to: 2 }])).toBe(false);
    expect(
      accepts([
        { person: first, from: 9, to: 1 },
        { person: first, from: 1, to: 9 },
      ]),
    ).toBe(false);
    expect(accepts(many(1, 1), "")).toBe(false);
  });
});
