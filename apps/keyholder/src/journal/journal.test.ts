import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestKeyholder, type TestKeyholder } from "../test-scenario.ts";
import { appendJournal, chainJournal, journalHead, readJournal } from "./journal.ts";

let test1: TestKeyholder;
beforeEach(async () => {
  test1 = await startTestKeyholder();
});
afterEach(() => test1.end());

const write = (count: number) => {
  for (let at = 0; at < count; at += 1) {
    const detail = { recipient: "cardmaker", hold: String(at), reason: "test" };
    appendJournal(test1.keyholder.store, { at: test1.clock.now, what: "hold-placed", detail });
  }
};

test("every entry's hash fixes all before it: what is read chains up to the head", () => {
  write(20);
  const { store } = test1.keyholder;
  const entries = readJournal(store, { from: 0, limit: 100 });
  let hash: Uint8Array = new Uint8Array(32);
  for (const entry of entries) {
    hash = chainJournal(hash, entry);
    expect(Buffer.from(hash).toString("hex")).toBe(entry.hash);
  }
  expect(journalHead(store)).toEqual({ size: 21, head: Buffer.from(hash).toString("hex") });
});

test("no field of an entry can be changed, nor two fields shifted, with the same hash", () => {
  const entry = { seq: 1, at: "a", what: "b", detail: "c" };
  const previous = new Uint8Array(32);
  const others = [
    { ...entry, seq: 2 },
    { ...entry, at: "ab", what: "" },
    { ...entry, what: "bc", detail: "" },
    { ...entry, detail: "d" },
  ];
  const hashes = [entry, ...others].map((one) => Buffer.from(chainJournal(previous, one)).toString("hex"));
  hashes.push(Buffer.from(chainJournal(previous.fill(1), entry)).toString("hex"));
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("readJournal() gives entries after `from`, oldest first", () => {
  write(5);
  const { store } = test1.keyholder;
  expect(readJournal(store, { from: 2, limit: 2 }).map(({ seq }) => seq)).toEqual([3, 4]);
  expect(readJournal(store, { from: 6, limit: 2 })).toEqual([]);
});
