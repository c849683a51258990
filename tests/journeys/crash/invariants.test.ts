import { expect, test } from "vitest";
import { checkInvariants } from "./invariants.ts";
import type { Observed } from "./observed.ts";

const leafHash = "aa";
const good: Observed = {
  pages: [{ place: "printer", file: "b-1.pdf", blank: "b-1", cardNumbers: ["100"] }],
  bureau: {
    intents: [{ job: "j", attempt: 1, blank: "b-1" }],
    receipts: [{ job: "j", attempt: 1, result: "produced", blank: "b-1" }],
  },
  desk: {
    jobs: [{ job: "j", state: "produced", attempt: 1, cardNumber: "100", blank: "b-1", scanned: false }],
    releases: [{ job: "j", attempt: 1, state: "released", leafHash, operation: "01" }],
    receipts: [{ job: "j", attempt: 1, result: "produced", blank: "b-1", operation: "02" }],
    approvals: [],
  },
  keyholder: { outcomes: [{ leafHash, outcome: "released" }] },
  ledger: {
    entries: [
      { index: 0, leafHash, operation: "01" },
      { index: 1, leafHash: "bb", operation: "02" },
    ],
    verified: true,
    words: "",
  },
  unaccounted: { desk: 1, keyholder: 1 },
  samples: [{ at: "12:00", openByLine: { "line-1": 1 }, unaccounted: 1, trulyUnaccounted: 1 }],
  terms: { openPerLine: 1, unaccounted: 1, attempts: 2 },
};

const violated = (observed: Observed): string[] =>
  checkInvariants(observed).flatMap(({ rule, violations }) => (violations.length > 0 ? [rule] : []));

test("checkInvariants() finds nothing wrong with a card that was made once", () => {
  expect(violated(good)).toEqual([]);
});

const [page] = good.pages;
const [intent] = good.bureau.intents;
const [job] = good.desk.jobs;
const [release] = good.desk.releases;
const [receipt] = good.desk.receipts;
const [sample] = good.samples;
if (!page || !intent || !job || !release || !receipt || !sample) throw new Error("the example is incomplete");

const planted: Record<string, [Observed, RegExp]> = {
  "a page that nobody intended": [
    { ...good, pages: [page, { ...page, file: "b-9.pdf", blank: "b-9" }] },
    /every page belongs to exactly one intent/,
  ],
  "a page that was left half printed": [
    { ...good, pages: [page, { ...page, place: "elsewhere", file: "b-1.pdf.tmp", blank: "b-1.pdf.tmp" }] },
    /exactly one receipt/,
  ],
  "a spoiled page among the good ones": [
    { ...good, desk: { ...good.desk, receipts: [{ ...receipt, result: "spoiled" }] } },
    /of the result that its place shows/,
  ],
  "a card that came out twice": [
    { ...good, pages: [page, { ...page, file: "b-2.pdf", blank: "b-2" }] },
    /no card number came out of the printer twice/,
  ],
  "a blank used twice": [
    { ...good, bureau: { ...good.bureau, intents: [intent, { ...intent, job: "k" }] } },
    /no blank was used for two intents/,
  ],
  "another card's number on the page": [
    { ...good, pages: [{ ...page, cardNumbers: ["999"] }] },
    /bears the number of its job's card/,
  ],
  "a receipt for a card that never came out": [{ ...good, pages: [] }, /came out of the printer/],
  "a release at the desk that is not in the log": [
    { ...good, desk: { ...good.desk, releases: [{ ...release, leafHash: "cc" }] } },
    /what desk and keyholder released stands in the log/,
  ],
  "a release at the keyholder that is not in the log": [
    { ...good, keyholder: { outcomes: [...good.keyholder.outcomes, { leafHash: "cc", outcome: "released" }] } },
    /what desk and keyholder released stands in the log/,
  ],
  "a log that does not verify": [{ ...good, ledger: { ...good.ledger, verified: false } }, /verifies offline/],
  "an event with two entries": [
    { ...good, ledger: { ...good.ledger, entries: [...good.ledger.entries, { index: 2, leafHash, operation: "01" }] } },
    /no event stands in the log twice/,
  ],
  "a print without a release": [
    { ...good, desk: { ...good.desk, releases: [{ ...release, state: "cancelled" }] } },
    /nothing was printed that was not released/,
  ],
  "an outcome that desk and keyholder tell differently": [
    { ...good, keyholder: { outcomes: [{ leafHash, outcome: "cancelled" }] } },
    /one outcome a leaf/,
  ],
  "a leaf with two outcomes": [
    { ...good, keyholder: { outcomes: [...good.keyholder.outcomes, ...good.keyholder.outcomes] } },
    /one outcome a leaf/,
  ],
  "a receipt that never arrived": [
    { ...good, desk: { ...good.desk, receipts: [] } },
    /what the bureau signed is at the desk/,
  ],
  "a receipt whose words changed": [
    { ...good, desk: { ...good.desk, receipts: [{ ...receipt, attempt: 2 }] } },
    /word for word/,
  ],
  "a receipt without its entry": [
    { ...good, desk: { ...good.desk, receipts: [{ ...receipt, operation: "03" }] } },
    /has exactly one, with its entry/,
  ],
  "a job that never ended": [
    { ...good, desk: { ...good.desk, jobs: [{ ...job, state: "uncertain" }] } },
    /every job ended/,
  ],
  "a line with one job too many": [
    { ...good, samples: [{ ...sample, openByLine: { "line-1": 2 } }] },
    /no line ever had more open jobs/,
  ],
  "a card too many on the way": [
    { ...good, samples: [{ ...sample, unaccounted: 2, trulyUnaccounted: 2 }] },
    /never too many, at every moment/,
  ],
  "a counter that forgot a card": [{ ...good, samples: [{ ...sample, unaccounted: 0 }] }, /counted rightly/],
  "a keyholder that forgot a card": [
    { ...good, unaccounted: { desk: 1, keyholder: 0 } },
    /desk and keyholder agree with the true number/,
  ],
  "an attempt that nobody approved": [
    { ...good, desk: { ...good.desk, releases: [release, { ...release, attempt: 3 }] } },
    /attempts stay within the agreement/,
  ],
};

for (const [title, [observed, rule]] of Object.entries(planted)) {
  test(`checkInvariants() finds ${title}`, () => {
    expect(violated(observed).join("\n")).toMatch(rule);
  });
}
