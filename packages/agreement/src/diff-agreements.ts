import type { Agreement } from "./agreement-schema.ts";
import { type CategoryId, isUnder, toCategoryLabel } from "./categories.ts";
import { type Change, compareAmount, compareDuration, compareSets, compareText, type Effect } from "./changes.ts";
import { CLAUSE_NAMES } from "./clause-names.ts";
import { diffGrants } from "./diff-grants.ts";

export type { Change, Effect } from "./changes.ts";

export type AgreementDiff = {
  /** In the order of the file; empty when both say the same. */
  readonly changes: readonly Change[];
  /** `widens` as soon as one change does; then `narrows` as soon as one does; otherwise `neutral`. */
  readonly verdict: Effect;
  /** People of the force who must agree to it: narrowing needs one, widening two. */
  readonly signaturesNeeded: 1 | 2;
};

/**
 * What changes when `after` takes the place of `before`. A change that cannot be told to be harmless counts as widening:
 * other parties, purpose, basis, keys, and durations that only the calendar could compare.
 */
export const diffAgreements = (before: Agreement, after: Agreement): AgreementDiff => {
  const changes = [
    ...diffHead(before, after),
    ...diffGrants(before, after),
    ...diffSubjects(before, after),
    ...diffNever(before.never, after.never),
    ...diffLimits(before, after),
    ...diffOnward(before, after),
    ...diffValidity(before, after),
  ];
  const has = (effect: Effect): boolean => changes.some((change) => change.effect === effect);
  const verdict = has("widens") ? "widens" : has("narrows") ? "narrows" : "neutral";
  return { changes, verdict, signaturesNeeded: verdict === "widens" ? 2 : 1 };
};

const diffHead = (before: Agreement, after: Agreement): Change[] => [
  ...compareText("id", before.id, after.id, "widens"),
  ...compareText("version", before.version, after.version, "neutral"),
  ...diffController(before, after),
  ...diffRecipient(before, after),
  ...compareText("purpose", before.purpose, after.purpose, "widens"),
  ...compareText("lawfulBasis", before.lawfulBasis, after.lawfulBasis, "widens"),
];

const diffController = ({ controller: before }: Agreement, { controller: after }: Agreement): Change[] => [
  ...compareText("controller.id", before.id, after.id, "widens"),
  ...compareText("controller.name", before.name, after.name, "neutral"),
  ...compareText("controller.contact", before.contact, after.contact, "neutral"),
];

const diffRecipient = ({ recipient: before }: Agreement, { recipient: after }: Agreement): Change[] => [
  ...compareText("recipient.id", before.id, after.id, "widens"),
  ...compareText("recipient.name", before.name, after.name, "neutral"),
  ...compareText("recipient.role", before.role, after.role, "widens"),
  ...compareSets({
    path: "recipient.keys",
    before: before.keys.map(({ id, use, publicKey }) => `${id} for ${use}, ${publicKey}`),
    after: after.keys.map(({ id, use, publicKey }) => `${id} for ${use}, ${publicKey}`),
    added: "widens",
  }),
];

const diffSubjects = ({ subjects: before }: Agreement, { subjects: after }: Agreement): Change[] => {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined) {
    const words = `${CLAUSE_NAMES.subjects}: ${after === undefined ? "the public" : "the force's people"} instead of ${after === undefined ? "the force's people" : "the public"}`;
    return [{ path: "subjects", effect: "widens", words }];
  }
  return [
    ...compareSets({
      path: "subjects.include.postSensitivity",
      before: before.include.postSensitivity,
      after: after.include.postSensitivity,
      added: "widens",
    }),
    ...diffIncludedKinds(before.include.cardKinds, after.include.cardKinds),
    ...compareSets({
      path: "subjects.exclude.postSensitivity",
      before: before.exclude.postSensitivity,
      after: after.exclude.postSensitivity,
      added: "narrows",
    }),
    ...compareSets({
      path: "subjects.exclude.cardKinds",
      before: before.exclude.cardKinds,
      after: after.exclude.cardKinds,
      added: "narrows",
    }),
  ];
};

const diffIncludedKinds = (before: readonly string[] | undefined, after: readonly string[] | undefined): Change[] => {
  const path = "subjects.include.cardKinds";
  if ((before === undefined) === (after === undefined))
    return compareSets({ path, before: before ?? [], after: after ?? [], added: "widens" });
  const whom = after === undefined ? "people whether or not a card is made" : "people for whom a card is made";
  return [{ path, effect: "widens", words: `${CLAUSE_NAMES[path]}: ${whom}` }];
};

const diffNever = (before: readonly CategoryId[], after: readonly CategoryId[]): Change[] => {
  const covers = (list: readonly CategoryId[], category: CategoryId): boolean =>
    list.some((one) => isUnder(category, one));
  const name = (category: CategoryId): string => `${toCategoryLabel(category)} (${category})`;
  return [
    ...before
      .filter((category) => !after.includes(category))
      .map((category): Change => {
        const kept = covers(after, category);
        const words = kept
          ? `${name(category)} is forbidden by a broader entry now`
          : `${name(category)} is no longer forbidden`;
        return { path: "never", effect: kept ? "neutral" : "widens", words };
      }),
    ...after
      .filter((category) => !before.includes(category))
      .map((category): Change => {
        const known = covers(before, category);
        const words = known ? `${name(category)} was forbidden already` : `${name(category)} is forbidden now`;
        return { path: "never", effect: known ? "neutral" : "narrows", words };
      }),
  ];
};

const diffLimits = ({ limits: before }: Agreement, { limits: after }: Agreement): Change[] => {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined)
    return [
      {
        path: "limits",
        effect: "widens",
        words: `${CLAUSE_NAMES.limits}: ${after === undefined ? "dropped" : "set, so cards can be released"}`,
      },
    ];
  return [
    ...compareAmount("limits.rate.perHour", before.rate.perHour, after.rate.perHour),
    ...compareAmount("limits.rate.burst", before.rate.burst, after.rate.burst),
    ...compareAmount("limits.openPerLine", before.openPerLine, after.openPerLine),
    ...compareAmount("limits.lines", before.lines, after.lines),
    ...compareAmount("limits.unaccounted", before.unaccounted, after.unaccounted),
    ...compareAmount("limits.attempts", before.attempts, after.attempts),
    ...compareDuration("limits.receiptWithin", before.receiptWithin, after.receiptWithin),
    ...compareDuration("limits.orderExpiresAfter", before.orderExpiresAfter, after.orderExpiresAfter),
  ];
};

const diffOnward = (before: Agreement, after: Agreement): Change[] => [
  ...compareSets({
    path: "subProcessors",
    before: before.subProcessors.map(({ id, name, purpose }) => `${name} (${id}), ${purpose}`),
    after: after.subProcessors.map(({ id, name, purpose }) => `${name} (${id}), ${purpose}`),
    added: "widens",
  }),
  ...compareSets({
    path: "transfers",
    before: before.transfers.map(({ country, safeguard }) => `${country}, ${safeguard}`),
    after: after.transfers.map(({ country, safeguard }) => `${country}, ${safeguard}`),
    added: "widens",
  }),
  ...compareDuration("breachNoticeWithin", before.breachNoticeWithin, after.breachNoticeWithin),
  ...compareText("endOfContract.action", before.endOfContract.action, after.endOfContract.action, "widens"),
  ...compareDuration("endOfContract.within", before.endOfContract.within, after.endOfContract.within),
];

const diffValidity = ({ validity: before }: Agreement, { validity: after }: Agreement): Change[] => [
  ...compareText("validity.from", before.from, after.from, after.from < before.from ? "widens" : "narrows"),
  ...compareText("validity.until", before.until, after.until, after.until > before.until ? "widens" : "narrows"),
];
