import type { DeskJob, Observed, Page } from "./observed.ts";

/** A rule that must hold after any number of kills, and where it did not. No names: ids, serials and card numbers. */
export type Verdict = { readonly rule: string; readonly violations: readonly string[] };

/** The crash rules, each looked at from the outside. */
export function checkInvariants(observed: Observed): Verdict[] {
  return RULES.map(([rule, find]) => ({ rule, violations: find(observed) }));
}

type Find = (observed: Observed) => string[];
const ENDED = ["produced", "spoiled", "cancelled", "expired"];

const pageHasOneIntent: Find = ({ pages, bureau }) =>
  pages.flatMap(({ file, blank }) => {
    const intents = bureau.intents.filter((intent) => intent.blank === blank);
    return intents.length === 1 ? [] : [`page ${file} belongs to ${intents.length} intents`];
  });

const pageHasItsRecord: Find = ({ pages, desk }) =>
  pages.flatMap((page) => {
    const receipts = desk.receipts.filter(({ blank }) => blank === page.blank);
    if (receipts.length !== 1) return [`page ${page.file} belongs to ${receipts.length} receipts`];
    const due = page.place === "printer" ? "produced" : "spoiled";
    const result = receipts[0]?.result;
    return result === due ? [] : [`page ${page.file} lies where ${due} cards lie, its receipt says ${result}`];
  });

const producedHasItsPage: Find = ({ pages, desk }) => {
  const printed = new Set(pages.filter(({ place }) => place === "printer").map(({ blank }) => blank));
  return desk.receipts
    .filter(({ result, blank }) => result === "produced" && !printed.has(blank))
    .map(({ job, blank }) => `job ${job} is produced, and no page of blank ${blank} came out of the printer`);
};

const cardIsProducedOnce: Find = ({ pages, desk }) => {
  const produced = pages.filter(({ place }) => place === "printer");
  const numbers = produced.map((page) => page.cardNumbers[0] ?? jobOf(page, desk.jobs)?.cardNumber);
  return repeated(numbers.filter((number) => number !== undefined)).map((number) => `card ${number} came out twice`);
};

const printedNumberFits: Find = ({ pages, desk }) =>
  pages.flatMap((page) => {
    const due = jobOf(page, desk.jobs)?.cardNumber;
    if (due === undefined) return [`page ${page.file} belongs to no job of the force`];
    return page.cardNumbers.includes(due) ? [] : [`page ${page.file} does not bear its card's number`];
  });

const blankIsUsedOnce: Find = ({ bureau }) =>
  repeated(bureau.intents.map(({ blank }) => blank)).map((blank) => `blank ${blank} was used twice`);

const releasedIsLogged: Find = ({ desk, keyholder, ledger }) => {
  const logged = new Set(ledger.entries.map(({ leafHash }) => leafHash));
  const atDesk = desk.releases.filter(({ state, leafHash }) => state === "released" && !logged.has(leafHash));
  const atKeyholder = keyholder.outcomes.filter(({ leafHash }) => !logged.has(leafHash));
  return [
    ...atDesk.map(({ job, attempt }) => `the desk released job ${job}, attempt ${attempt}, without an entry`),
    ...atKeyholder.map(
      ({ leafHash, outcome }) => `the keyholder's outcome ${outcome} of leaf ${leafHash} has no entry`,
    ),
  ];
};

const ledgerVerifies: Find = ({ ledger }) => (ledger.verified ? [] : [`the ledger does not verify: ${ledger.words}`]);

const entryIsLoggedOnce: Find = ({ ledger }) =>
  repeated(ledger.entries.map(({ operation }) => operation)).map((operation) => `event ${operation} has two entries`);

const printedWasReleased: Find = ({ bureau, desk }) =>
  bureau.intents
    .filter(
      ({ job, attempt }) =>
        !desk.releases.some((r) => r.job === job && r.attempt === attempt && r.state === "released"),
    )
    .map(({ job, attempt }) => `the bureau printed job ${job}, attempt ${attempt}, which the desk did not release`);

const outcomesAgree: Find = ({ desk, keyholder }) => {
  const kept = new Map(keyholder.outcomes.map(({ leafHash, outcome }) => [leafHash, outcome]));
  return [
    ...repeated(keyholder.outcomes.map(({ leafHash }) => leafHash)).map((leaf) => `leaf ${leaf} has two outcomes`),
    ...desk.releases
      .filter(({ leafHash, state }) => kept.get(leafHash) !== state)
      .map(({ job, attempt, state, leafHash }) => {
        return `job ${job}, attempt ${attempt}: ${state} at the desk, ${kept.get(leafHash) ?? "nothing"} at the keyholder`;
      }),
  ];
};

const receiptArrived: Find = ({ bureau, desk }) =>
  bureau.receipts.flatMap(({ job, attempt, result, blank }) => {
    const at = desk.receipts.find((receipt) => receipt.job === job);
    if (!at) return [`the receipt of job ${job} never came to the desk`];
    const same = at.attempt === attempt && at.result === result && at.blank === blank;
    return same ? [] : [`the receipt of job ${job} says another thing at the desk`];
  });

const jobHasOneReceipt: Find = ({ desk, ledger }) => {
  const operations = new Set(ledger.entries.map(({ operation }) => operation));
  const printed = desk.jobs.filter(({ state }) => state === "produced" || state === "spoiled");
  return [
    ...printed.flatMap(({ job, state }) => {
      const receipts = desk.receipts.filter((receipt) => receipt.job === job);
      const [receipt] = receipts;
      if (receipts.length !== 1 || !receipt) return [`job ${job} is ${state} with ${receipts.length} receipts`];
      return receipt.result === state ? [] : [`job ${job} is ${state}, its receipt says ${receipt.result}`];
    }),
    ...desk.receipts
      .filter(({ operation }) => !operations.has(operation))
      .map(({ job }) => `the receipt of job ${job} has no entry`),
  ];
};

const jobEnded: Find = ({ desk }) =>
  desk.jobs.filter(({ state }) => !ENDED.includes(state)).map(({ job, state }) => `job ${job} is still ${state}`);

const openStaysWithin: Find = ({ samples, terms }) =>
  samples.flatMap(({ at, openByLine }) =>
    Object.entries(openByLine)
      .filter(([, open]) => open > terms.openPerLine)
      .map(([line, open]) => `${open} jobs were open on line ${line} at ${at}, ${terms.openPerLine} are allowed`),
  );

const unaccountedStaysWithin: Find = ({ samples, terms }) =>
  samples.flatMap(({ at, unaccounted, trulyUnaccounted }) => [
    ...(trulyUnaccounted > terms.unaccounted
      ? [`${trulyUnaccounted} cards were unaccounted at ${at}, ${terms.unaccounted} are allowed`]
      : []),
    ...(unaccounted === trulyUnaccounted ? [] : [`the desk counted ${unaccounted} at ${at}, not ${trulyUnaccounted}`]),
  ]);

const unaccountedIsTrue: Find = ({ desk, unaccounted }) => {
  const out = new Set(desk.releases.filter(({ state }) => state === "released").map(({ job }) => job));
  const truly = desk.jobs.filter(({ job, scanned }) => out.has(job) && !scanned).length;
  return Object.entries(unaccounted)
    .filter(([, counted]) => counted !== truly)
    .map(([who, counted]) => `the ${who} counts ${counted} unaccounted cards, ${truly} are`);
};

const attemptsStayWithin: Find = ({ desk, terms }) => {
  const approved = new Set(desk.approvals.map(({ job, attempt }) => `${job}/${attempt}`));
  return desk.releases
    .filter(({ job, attempt }) => attempt > terms.attempts && !approved.has(`${job}/${attempt}`))
    .map(({ job, attempt }) => `job ${job} had attempt ${attempt}, which nobody approved`);
};

const RULES: readonly (readonly [string, Find])[] = [
  ["no silent double: every page belongs to exactly one intent of the bureau", pageHasOneIntent],
  ["no silent double: every page belongs to exactly one receipt, of the result that its place shows", pageHasItsRecord],
  ["no silent double: no card number came out of the printer twice", cardIsProducedOnce],
  ["no silent double: no blank was used for two intents", blankIsUsedOnce],
  ["every page bears the number of its job's card", printedNumberFits],
  ["every card that is said to be produced came out of the printer", producedHasItsPage],
  ["no release without its entry: what desk and keyholder released stands in the log", releasedIsLogged],
  ["no release without its entry: the log verifies offline", ledgerVerifies],
  ["no event stands in the log twice", entryIsLoggedOnce],
  ["nothing was printed that was not released", printedWasReleased],
  ["one outcome a leaf, the same at desk and keyholder", outcomesAgree],
  ["no receipt lost: what the bureau signed is at the desk, word for word", receiptArrived],
  ["no receipt lost: a job that ended with a card has exactly one, with its entry", jobHasOneReceipt],
  ["every job ended", jobEnded],
  ["no limit forgotten: no line ever had more open jobs than the agreement allows", openStaysWithin],
  [
    "no limit forgotten: unaccounted cards were counted rightly, and never too many, at every moment",
    unaccountedStaysWithin,
  ],
  ["no limit forgotten: desk and keyholder agree with the true number of unaccounted cards", unaccountedIsTrue],
  ["no limit forgotten: attempts stay within the agreement, or a person approved them", attemptsStayWithin],
];

/** The rules by name, in the order of the verdicts. */
export const CRASH_RULES: readonly string[] = RULES.map(([rule]) => rule);

const jobOf = (page: Page, jobs: readonly DeskJob[]) => jobs.find(({ blank }) => blank === page.blank);

function repeated(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 1).map(([value]) => value);
}
