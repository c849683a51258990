import type { Actor } from "../access/roles.ts";
import {
  CUSTODY_MOVES,
  type Custody,
  mayMove,
  type RevocationReason,
  VALIDITY_MOVES,
  type Validity,
} from "../cards/states.ts";

export type CustodyRefusal =
  | "unknown-card"
  /** Never released to the recipient, so no such plastic can exist. */
  | "never-released"
  | "not-in-that-state"
  /** No receipt says that this card was produced. */
  | "not-produced"
  | "not-at-a-station"
  | "own-request"
  | "own-card"
  | "identity-not-checked";

/** What the rules must know of a card; `released` and `produced` are its job's. */
export type StoredCard = {
  readonly validity: Validity;
  readonly custody: Custody;
  readonly personId: string;
  readonly requestedBy: string;
  readonly released: boolean;
  readonly produced: boolean;
};

/** May this card be scanned in at a station? Undefined when it may. */
export function refuseReceive(card: StoredCard | undefined): CustodyRefusal | undefined {
  if (card === undefined) return "unknown-card";
  if (!card.released) return "never-released";
  return mayMove(CUSTODY_MOVES, card.custody, "station") ? undefined : "not-in-that-state";
}

/** May this actor hand this card to its holder? Only then it becomes one to rely on. */
export function refuseHandOver(given: {
  actor: Actor;
  card: StoredCard | undefined;
  identityChecked: boolean;
}): CustodyRefusal | undefined {
  const { actor, card, identityChecked } = given;
  if (card === undefined) return "unknown-card";
  if (!identityChecked) return "identity-not-checked";
  if (actor.id === card.requestedBy) return "own-request";
  if (actor.personId !== null && actor.personId === card.personId) return "own-card";
  if (card.validity !== "inactive") return "not-in-that-state";
  if (!card.produced) return "not-produced";
  if (card.custody !== "station" || !mayMove(CUSTODY_MOVES, card.custody, "holder")) return "not-at-a-station";
  return mayMove(VALIDITY_MOVES, card.validity, "active") ? undefined : "not-in-that-state";
}

export type ValidityChange = "suspended" | "active" | "revoked";

/** May the validity become this? `active` here is the end of a suspension; the first time it is a hand-over. */
export function refuseValidity(card: StoredCard | undefined, to: ValidityChange): CustodyRefusal | undefined {
  if (card === undefined) return "unknown-card";
  if (to === "active" && card.validity !== "suspended") return "not-in-that-state";
  return mayMove(VALIDITY_MOVES, card.validity, to) ? undefined : "not-in-that-state";
}

/** Where the plastic is believed to be after a change for this reason. */
export function custodyAfter(custody: Custody, reason: RevocationReason | undefined): Custody {
  const gone = reason === "lost" || reason === "stolen";
  return gone && mayMove(CUSTODY_MOVES, custody, "missing") ? "missing" : custody;
}
