import { type Agreement, may } from "@tipstaff/agreement";
import { CARD_KINDS, type CardKind } from "../cards/card-kinds.ts";
import { routeFor } from "../cards/request-rules.ts";
import type { PersonDetails } from "../people/person-details.ts";

export type OrderRefusal =
  /** Left the force, or erased, since the approval. */
  | "not-present"
  | "no-portrait"
  /** The role changed, and this kind of card does not fit any more. */
  | "kind-does-not-fit"
  /** The agreement does not let this recipient hold it. */
  | "not-allowed"
  /** The face has no room for the name, or its font no letter of it. */
  | "face-refused"
  /** Somebody withdrew the request meanwhile. */
  | "withdrawn";

const IN_WORDS: Readonly<Record<OrderRefusal, string>> = {
  "not-present": "of people who left or were erased",
  "no-portrait": "without a portrait: import again with photos (people import FILE --photos FOLDER), then order again",
  "kind-does-not-fit": "of a kind that does not fit the person's role any more: withdraw, and request anew",
  "not-allowed": "that the agreement does not let this recipient hold (agreement explain FILE)",
  "face-refused": "whose name has no room on the face, or letters that its font lacks",
  withdrawn: "withdrawn meanwhile",
};

/** Why approved requests stayed out of an order, and what to do about it. */
export function tellNotIncluded(counts: Partial<Record<OrderRefusal, number>>): string {
  const reasons = Object.keys(IN_WORDS).filter((reason): reason is OrderRefusal => reason in counts);
  return reasons.map((reason) => `${counts[reason]} ${IN_WORDS[reason]}`).join("; ");
}

export type OrderAnswer =
  | { readonly ok: true }
  /** A covert post: it takes the in-house route from now on, and nobody outside is told that it was ever here. */
  | { readonly ok: false; readonly reason: "covert" }
  | { readonly ok: false; readonly reason: OrderRefusal; readonly clause?: string };

/** May this card go into an order for this recipient now? Asked again at order time, whatever the request says. */
export function decideOrderItem(given: {
  agreement: Agreement;
  recipient: string;
  kind: CardKind;
  person: { readonly present: boolean; readonly details: PersonDetails | null; readonly hasPortrait: boolean };
  at: Date;
}): OrderAnswer {
  const { agreement, recipient, kind, person, at } = given;
  const { details } = person;
  if (!person.present || details === null) return { ok: false, reason: "not-present" };
  if (routeFor(details.postSensitivity) !== "bureau") return { ok: false, reason: "covert" };
  if (CARD_KINDS[kind].role !== details.role) return { ok: false, reason: "kind-does-not-fit" };
  const subject = { postSensitivity: details.postSensitivity, cardKind: kind };
  for (const category of CARD_KINDS[kind].categories) {
    const answer = may({ agreement, recipient, category, subject, at });
    if (!answer.ok) return { ok: false, reason: "not-allowed", clause: answer.clause.path };
  }
  return person.hasPortrait ? { ok: true } : { ok: false, reason: "no-portrait" };
}

/** What the face says, of the categories of its kind and no others. */
export function toFace(kind: CardKind, details: PersonDetails, cardNumber: string) {
  const name = `${details.knownAs || details.forenames} ${details.surname}`.trim();
  const rank = details.rank === "" ? {} : { rank: details.rank };
  return kind === "warrant-card"
    ? { name, ...rank, number: details.warrantNumber || cardNumber }
    : { name, ...rank, number: details.collarNumber || cardNumber };
}

/** In a random order, so that the place in an order tells nothing. `randomBelow(n)` draws from 0 to n - 1. */
export function shuffle<T>(items: readonly T[], randomBelow: (n: number) => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = randomBelow(last + 1);
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a === undefined || b === undefined) continue;
    shuffled[last] = b;
    shuffled[other] = a;
  }
  return shuffled;
}
