import { randomUUID } from "node:crypto";
import { entryTag, openSubject, parseLeaf } from "@tipstaff/ledger";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyholderHandlers as calls } from "../calls.ts";
import { fromBase64url } from "../encoding.ts";
import { readJournal } from "../journal/journal.ts";
import { startTestKeyholder, type TestKeyholder } from "../test-scenario.ts";
import { releaseHistoryKeys } from "./release-history.ts";
import { showCensuses } from "./show-censuses.ts";

let held: TestKeyholder;
beforeEach(async () => {
  held = await startTestKeyholder();
});
afterEach(() => held.end());

const [person, other, actor] = [randomUUID(), randomUUID(), randomUUID()];
const at = "2026-03-01T09:30:00.000Z";
const createRoots = () => {
  calls["roots/create"](held.keyholder, { batchId: "b", persons: [person, other, actor] });
  calls["roots/confirm"](held.keyholder, { batchId: "b" });
};
const prepare = async (draft: { kind: string; subject?: string; n?: number; detail?: string }) => {
  const { entries } = await calls["entries/prepare"](held.keyholder, {
    entries: [{ reference: randomUUID(), at, ...draft }],
  });
  const [entry] = entries;
  if (entry === undefined) throw new Error("nothing was prepared");
  return entry;
};
const ask = (whom = person) =>
  releaseHistoryKeys(held.keyholder, { person: whom, actor, purpose: "subject access request 12" });

describe("history/keys", () => {
  test("releases the keys that find and open that person's entries, and nobody else's", async () => {
    createRoots();
    const keys = ask();
    if (!keys.ok) throw new Error(keys.reason);
    const open = async (subject: string) => {
      const { operationId, leaf, openings } = await prepare({ kind: "opened", subject, n: 1 });
      const tag = Buffer.from(parseLeaf(fromBase64url(leaf)).tag);
      const opened = openSubject(fromBase64url(openings), fromBase64url(operationId), fromBase64url(keys.auditKey));
      return [tag.equals(entryTag(fromBase64url(keys.tagKey), 1)), opened?.fields.subject];
    };
    expect(await open(person)).toEqual([true, person]);
    expect(await open(other)).toEqual([false, undefined]);
  });

  test("stands in the journal, and costs an opening, before it is answered; also where there is nobody", () => {
    createRoots();
    const left = () => calls.status(held.keyholder, {});
    const before = left();
    ask();
    expect(ask(randomUUID())).toEqual({ ok: false, reason: "unknown-person" });
    expect(left()).toMatchObject({ budgetLeft: Reflect.get(before, "budgetLeft") - 2 });
    const told = readJournal(held.keyholder.store, { from: 0, limit: 100 }).slice(-2);
    expect(told.map(({ what, detail }) => [what, JSON.parse(detail)])).toEqual([
      [
        "history-keys-released",
        expect.objectContaining({ actor, purpose: "subject access request 12", released: true }),
      ],
      ["history-keys-released", expect.objectContaining({ released: false })],
    ]);
    expect(JSON.stringify(told)).not.toContain(person);
  });

  test("releases nothing of somebody who was erased", () => {
    createRoots();
    calls["roots/erase"](held.keyholder, { person, actor, at });
    expect(ask()).toEqual({ ok: false, reason: "unknown-person" });
  });
});

describe("census/show", () => {
  test("shows a census, and no entry of another kind, nor openings of another entry", async () => {
    createRoots();
    const census = await prepare({ kind: "census", detail: '{"seq":1}' });
    const opened = await prepare({ kind: "opened", subject: person, n: 1 });
    const entries = [census, opened, { ...census, openings: opened.openings }, { ...census, openings: "AAAA" }];
    const { censuses } = showCensuses(held.keyholder, {
      entries: entries.map(({ operationId, openings }) => ({ operationId, openings })),
    });
    expect(censuses[0]).toMatchObject({ kind: { value: "census" }, detail: { value: '{"seq":1}' } });
    expect(censuses.slice(1)).toEqual([null, null, null]);
  });
});
