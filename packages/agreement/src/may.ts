import type { Agreement, PostSensitivity } from "./agreement-schema.ts";
import { type CategoryId, isUnder, toCategoryLabel } from "./categories.ts";
import { explainRetention } from "./explain-retention.ts";

/** Whose data it is. */
export type Subject =
  /** Somebody of the force; `cardKind` is null when no card is concerned. */
  | { readonly postSensitivity: PostSensitivity; readonly cardKind: string | null }
  /** A member of the public, as on the force's website. */
  | "public"
  /** Only the category is in question, as for a column of a store: the clause `subjects` is not judged. */
  | "unknown";

export type MayQuestion = {
  readonly agreement: Agreement;
  /** Id of who would receive the data. */
  readonly recipient: string;
  readonly category: CategoryId;
  readonly subject: Subject;
  readonly at: Date;
};

/** The place in the agreement that decides, and what it says. */
export type Clause = { readonly path: string; readonly words: string };

/** Why not, in the order in which it is judged. */
export type MayRefusal =
  | "other-recipient"
  | "not-yet-in-force"
  | "no-longer-in-force"
  | "forbidden"
  | "subject-excluded"
  | "subject-not-covered"
  | "not-granted";

export type MayAnswer =
  | { readonly ok: true; readonly clause: Clause }
  | { readonly ok: false; readonly clause: Clause; readonly reason: MayRefusal };

const refuse = (reason: MayRefusal, path: string, words: string): MayAnswer => ({
  ok: false,
  clause: { path, words },
  reason,
});

/**
 * May this recipient hold this category about this subject at this instant? Granted by exact concept, forbidden (`never`)
 * by subtree, and `never` wins; exclusion wins over inclusion; what is not said is refused. The answer names the clause.
 */
export const may = ({ agreement, recipient, category, subject, at }: MayQuestion): MayAnswer => {
  if (recipient !== agreement.recipient.id)
    return refuse(
      "other-recipient",
      "recipient.id",
      `the agreement is with ${agreement.recipient.name} and nobody else`,
    );
  return (
    refuseByValidity(agreement, at) ??
    refuseByNever(agreement, category) ??
    refuseBySubject(agreement, subject) ??
    answerByGrant(agreement, category)
  );
};

const refuseByValidity = ({ validity }: Agreement, at: Date): MayAnswer | undefined => {
  const instant = at.getTime();
  // Written so that an invalid date is refused.
  if (!(instant >= Date.parse(validity.from)))
    return refuse("not-yet-in-force", "validity.from", `the agreement is in force only from ${validity.from}`);
  if (!(instant < Date.parse(validity.until)))
    return refuse("no-longer-in-force", "validity.until", `the agreement ended at ${validity.until}`);
  return undefined;
};

const refuseByNever = ({ never }: Agreement, category: CategoryId): MayAnswer | undefined => {
  const index = never.findIndex((forbidden) => isUnder(category, forbidden));
  const forbidden = never[index];
  if (forbidden === undefined) return undefined;
  const beneath = forbidden === category ? "" : `, and ${toCategoryLabel(category)} is a kind of it`;
  return refuse("forbidden", `never[${index}]`, `${toCategoryLabel(forbidden)} is forbidden${beneath}`);
};

const refuseBySubject = ({ subjects }: Agreement, subject: Subject): MayAnswer | undefined => {
  if (subject === "unknown") return undefined;
  if (subject === "public")
    return subjects === undefined
      ? undefined
      : refuse("subject-not-covered", "subjects", "the agreement covers the force's people, not the public");
  if (subjects === undefined)
    return refuse("subject-not-covered", "subjects", "the agreement covers the public, not the force's people");
  const { include, exclude } = subjects;
  const { postSensitivity, cardKind } = subject;
  if (exclude.postSensitivity.includes(postSensitivity))
    return refuse("subject-excluded", "subjects.exclude.postSensitivity", `${postSensitivity} posts are excluded`);
  if (cardKind !== null && exclude.cardKinds.includes(cardKind))
    return refuse("subject-excluded", "subjects.exclude.cardKinds", "this card kind is excluded");
  if (!include.postSensitivity.includes(postSensitivity))
    return refuse(
      "subject-not-covered",
      "subjects.include.postSensitivity",
      `${postSensitivity} posts are not included`,
    );
  if (cardKind === null ? include.cardKinds !== undefined : include.cardKinds?.includes(cardKind) !== true)
    return refuse(
      "subject-not-covered",
      "subjects.include.cardKinds",
      cardKind === null ? "only people for whom a card is made are included" : "this card kind is not included",
    );
  return undefined;
};

const answerByGrant = (agreement: Agreement, category: CategoryId): MayAnswer => {
  const index = agreement.categories.findIndex((grant) => grant.category === category);
  const grant = agreement.categories[index];
  if (grant === undefined)
    return refuse("not-granted", "categories", `${toCategoryLabel(category)} is not among the categories`);
  const words = `${toCategoryLabel(category)} may be held ${explainRetention(grant.retention)}`;
  return { ok: true, clause: { path: `categories[${index}]`, words } };
};
