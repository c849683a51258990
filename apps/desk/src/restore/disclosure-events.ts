import { type CategoryId, isCategoryId } from "@tipstaff/agreement";
import { z } from "zod";
import type { DisclosureTerms } from "../disclosures/disclosure-rules.ts";
import type { Place, Said } from "./log-events.ts";

/** A disclosure about one person that somebody declared, as its entry says it. */
export type DisclosureEvent = Place & {
  readonly terms: DisclosureTerms;
  readonly reason: string;
  readonly at: string;
};

const category = z.custom<CategoryId>((name) => typeof name === "string" && isCategoryId(name));
const factsSchema = z.object({
  ...{ from: z.iso.datetime(), to: z.iso.datetime().nullable() },
  categories: z.array(category),
});
const detailSchema = z.object({ reason: z.string() });

/** What an entry of kind `disclosure` says; undefined for anything else. */
export function toDisclosure(place: Place, said: Said): DisclosureEvent | undefined {
  if (said.kind !== "disclosure") return undefined;
  const facts = factsSchema.safeParse(parseJson(said.facts));
  const detail = detailSchema.safeParse(parseJson(said.detail));
  if (!facts.success || !detail.success) return undefined;
  const { from, to, categories } = facts.data;
  const time = { from: new Date(from), to: to === null ? null : new Date(to) };
  const terms = { recipient: said.recipient, ...time, categories: [...categories].sort() };
  return { ...place, terms, reason: detail.data.reason, at: said.at };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
