import type { Agreement, Grant, Retention } from "./agreement-schema.ts";
import { toCategoryLabel } from "./categories.ts";
import { type Change, durationEffect, type Effect } from "./changes.ts";
import { explainRetention } from "./explain-retention.ts";

/** What changes in the categories granted and in how long each may be kept. */
export const diffGrants = ({ categories: before }: Agreement, { categories: after }: Agreement): Change[] => {
  const name = ({ category }: Grant): string => `${toCategoryLabel(category)} (${category})`;
  const find = (grants: readonly Grant[], wanted: Grant): Grant | undefined =>
    grants.find(({ category }) => category === wanted.category);
  return [
    ...before
      .filter((grant) => find(after, grant) === undefined)
      .map(
        (grant): Change => ({ path: "categories", effect: "narrows", words: `${name(grant)} may no longer be held` }),
      ),
    ...after.flatMap((grant, at): Change[] => {
      const old = find(before, grant);
      const path = `categories[${at}]`;
      if (old === undefined) return [{ path, effect: "widens", words: `${name(grant)} may be held now` }];
      const [was, is] = [explainRetention(old.retention), explainRetention(grant.retention)];
      const effect = retentionEffect(old.retention, grant.retention);
      return was === is
        ? []
        : [{ path: `${path}.retention`, effect, words: `${name(grant)} may be held ${is}, not ${was}` }];
    }),
  ];
};

// When a receipt comes is the recipient's doing, so neither can be told to be the shorter; only receipt to receipt is safe.
const retentionEffect = (before: Retention, after: Retention): Effect => {
  if ("until" in before) return "until" in after ? "neutral" : "widens";
  return "until" in after ? "widens" : durationEffect(before.duration, after.duration);
};
