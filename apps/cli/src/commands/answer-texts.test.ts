import { expect, it } from "vitest";
import { toBureauText, toHoldsText, toJournalText, toPersonText, toRequestedText, toRunsText } from "./answer-texts.ts";
import { toCounts, toTable } from "./plain-lines.ts";

it("toTable() aligns columns under their headings, and says so where there is no row", () => {
  expect(
    toTable(
      ["a", "bee"],
      [
        ["long", "x"],
        ["", "y"],
      ],
      "none",
    ),
  ).toBe("a     bee\nlong  x\n      y");
  expect(toTable(["a"], [], "No run.")).toBe("No run.");
});

it("no text of others moves the cursor of the terminal", () => {
  expect(toTable(["a"], [["x\u001b[2J\r\ny\u009b"]], "")).toBe("a\nx [2J y");
  expect(toCounts({ "a\u0007b": 1, c: 0 })).toBe("1 a b");
});

it("runs are told with what is left of them", () => {
  const run = {
    run: "r1",
    recipient: "cardmaker",
    order: "o1",
    state: "open",
    openedAt: "t0",
    until: "t1",
    jobs: 9,
    left: 4,
  };
  expect(toRunsText({ runs: [run] }).split("\n")[1]).toMatch(/^r1 +open +cardmaker +o1 +4 of 9 +t1$/);
  expect(toRunsText({ runs: [] })).toBe("No run was ever opened.");
});

it("holds are told with their reason, their detail and who is still needed to lift them", () => {
  const hold = {
    id: "h1",
    recipient: "cardmaker",
    reason: "by-hand",
    placedAt: "t0",
    detail: { words: "odd" },
    liftAskedBy: null,
  };
  const asked = { ...hold, id: "h2", reason: "receipt-overdue", detail: { job: "j1" }, liftAskedBy: "somebody" };
  const [, first, second] = toHoldsText({ holds: [hold, asked] }).split("\n");
  expect(first).toMatch(/^h1 +cardmaker +by-hand +t0 +not asked +odd$/);
  expect(second).toMatch(/^h2 .*asked, a second person lifts it +job j1$/);
});

it("requests are told with each refusal and its reason; without any, in one line", () => {
  const refused = [{ person: "p1", reason: "already-requested" }];
  expect(toRequestedText({ requested: 2, refused, refusedCount: 3 }).split("\n").slice(1)).toEqual([
    "3 refused:",
    "  p1  already-requested",
    "  and 2 more",
  ]);
  expect(toRequestedText({ requested: 1 })).toMatch(/^1 card requested; [^\n]*$/);
});

it("the journal is told field by field, and an entry whose detail is no JSON as it stands", () => {
  const entry = { seq: 7, at: "t0", what: "hold-placed", hash: "00" };
  const detail = JSON.stringify({ recipient: "cardmaker", people: ["a", "b"] });
  const [, first, second] = toJournalText({
    entries: [
      { ...entry, detail },
      { ...entry, detail: "plain" },
    ],
  }).split("\n");
  expect(first).toMatch(/^7 +t0 +hold-placed +recipient cardmaker, people \["a","b"\]$/);
  expect(second).toMatch(/plain$/);
});

it("a bureau's status is told without what there is none of, and with what an operator must look at", () => {
  const status = {
    ...{ recipient: "cardmaker", force: "exampleshire-police", printing: false, orders: [] },
    ...{ jobs: { printed: 3, fetched: 0 }, refused: {}, receipts: { waiting: 0, accepted: 3, refused: 0 } },
    uncertain: [{ job: "j1", order: "o1", attempt: 1, line: "line-01", blank: "b1", at: "t0" }],
    lines: [{ line: "line-01", state: "idle", job: null, since: null }],
    alarms: [],
  };
  const text = toBureauText(status);
  expect(text).toMatch(/^Bureau cardmaker, for exampleshire-police: not printing\nJobs: 3 printed\nRefused: none\n/);
  expect(text).toMatch(/Uncertain.*:\n {2}job +line +blank +since\n {2}j1 +line-01 +b1 +t0\nAlarms: none$/);
});

it("a person who was found is told by the id that other commands ask for", () => {
  const details = { surname: "Doe", knownAs: null, unit: "" };
  const text = toPersonText({ id: "p1", presence: "present", recordVersion: 1, details, hasPortrait: true });
  expect(text.split("\n")).toEqual(["id        p1", "presence  present", "portrait  yes", "surname   Doe"]);
});

it("an answer that is none of these is not told as if it were", () => {
  for (const tell of [toRunsText, toHoldsText, toRequestedText, toJournalText, toBureauText, toPersonText]) {
    expect(() => tell({ error: "no" })).toThrow();
  }
});
