import type { CategoryId } from "@tipstaff/agreement";

/** Kinds of cards that are made today, each with the categories that its face discloses, whoever's face it is. */
export const CARD_KINDS = {
  "warrant-card": {
    role: "officer",
    categories: ["pd:Name", "pd:Picture", "tip:Rank", "tip:WarrantNumber", "tip:CardSerial", "tip:CardExpiry"],
  },
  "staff-pass": {
    role: "staff",
    categories: ["pd:Name", "pd:Picture", "tip:JobTitle", "tip:CollarNumber", "tip:CardSerial", "tip:CardExpiry"],
  },
} as const satisfies Readonly<Record<string, { role: "officer" | "staff"; categories: readonly CategoryId[] }>>;
export type CardKind = keyof typeof CARD_KINDS;

/** Years that a card is valid for, from its order. */
export const CARD_VALID_YEARS = 5;

export function isCardKind(text: string): text is CardKind {
  return Object.hasOwn(CARD_KINDS, text);
}

/** The kind that is made for this role: a warrant card is a constable's, whoever pays the wages. */
export function kindForRole(role: "officer" | "staff"): CardKind {
  return role === "officer" ? "warrant-card" : "staff-pass";
}
