import { createHash } from "node:crypto";
import type { CategoryId } from "@tipstaff/agreement";
import { toNumber } from "../people/cell-rules.ts";

/** What a recipient is said to have had, and when: half-open, without end where `to` is null. */
export type DisclosureTerms = {
  readonly recipient: string;
  readonly from: Date;
  readonly to: Date | null;
  /** Each once, in alphabetical order. */
  readonly categories: readonly CategoryId[];
};

export type DisclosureRefusal = "empty-time" | "in-the-future";

/** May these terms be declared? A disclosure lies in the past; what is to come needs an agreement. */
export function refuseTerms({ from, to }: DisclosureTerms, now: Date): DisclosureRefusal | undefined {
  if (from >= now || (to !== null && to > now)) return "in-the-future";
  return to !== null && from >= to ? "empty-time" : undefined;
}

/** The same terms are the same disclosure, in whatever words the reason is given. Hex. */
export function digestTerms({ recipient, from, to, categories }: DisclosureTerms): string {
  const said = ["tipstaff/disclosure/v1", recipient, from.toISOString(), to?.toISOString() ?? null, ...categories];
  return createHash("sha256").update(JSON.stringify(said)).digest("hex");
}

/** A number and the line of the list where it stands, from 1. */
export type ListedNumber = { readonly line: number; readonly number: string };

/** The numbers of a list with one a line; empty lines are passed over, and so is a first line without a digit: a header. */
export function readNumbers(lines: readonly string[]): ListedNumber[] {
  return lines.flatMap((text, at) => {
    const number = toNumber(text);
    const isHeader = at === 0 && !/\d/.test(number);
    return number === "" || isHeader ? [] : [{ line: at + 1, number }];
  });
}
