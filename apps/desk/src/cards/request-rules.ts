import { type Actor, maySee } from "../access/roles.ts";
import { CARD_KINDS, type CardKind, isCardKind, kindForRole } from "./card-kinds.ts";
import { mayMove, REQUEST_MOVES, type RequestState, type Validity } from "./states.ts";

export type Route = "bureau" | "in-house";

/** What the rules must know of a person; `details` is null for somebody erased. */
export type Requestable = {
  readonly present: boolean;
  readonly details: { readonly role: "officer" | "staff"; readonly postSensitivity: string } | null;
  readonly openKinds: readonly string[];
  readonly cards: readonly { readonly id: string; readonly kind: string; readonly validity: Validity }[];
};

export type RequestRefusal =
  /** Not in the register, not present, or not to be seen by this actor: the three are never told apart. */
  "unknown-person" | "unknown-kind" | "kind-does-not-fit" | "already-requested";

export type RequestAnswer =
  | { readonly ok: true; readonly kind: CardKind; readonly route: Route; readonly replaces: string | null }
  | { readonly ok: false; readonly reason: RequestRefusal };

/** A card is live while it is, or may still become, one to rely on. */
export function isLive(validity: Validity): boolean {
  return validity === "inactive" || validity === "active" || validity === "suspended";
}

/** Covert posts are never printed outside, whatever the request says. Anything that is not known to be open is covert. */
export function routeFor(postSensitivity: string): Route {
  return postSensitivity === "ordinary" || postSensitivity === "sensitive" ? "bureau" : "in-house";
}

/** May this actor request a card of this kind (the role's own kind when none is named) for this person? */
export function decideRequest(given: {
  actor: Actor;
  person: Requestable | undefined;
  kind: string | undefined;
}): RequestAnswer {
  const { actor, person } = given;
  if (!person?.present || person.details === null) return { ok: false, reason: "unknown-person" };
  const route = routeFor(person.details.postSensitivity);
  if (!maySee(actor, { route })) return { ok: false, reason: "unknown-person" };
  const kind = given.kind ?? kindForRole(person.details.role);
  if (!isCardKind(kind)) return { ok: false, reason: "unknown-kind" };
  if (CARD_KINDS[kind].role !== person.details.role) return { ok: false, reason: "kind-does-not-fit" };
  if (person.openKinds.includes(kind)) return { ok: false, reason: "already-requested" };
  const replaced = person.cards.find((card) => card.kind === kind && isLive(card.validity));
  // A card that is still being made is the answer to an earlier request, not something to replace.
  if (replaced?.validity === "inactive") return { ok: false, reason: "already-requested" };
  return { ok: true, kind, route, replaces: replaced?.id ?? null };
}

export type StoredRequest = {
  readonly state: RequestState;
  readonly route: Route;
  readonly personId: string;
  readonly requestedBy: string;
};
export type Decision = "approved" | "rejected" | "withdrawn";
export type DecisionRefusal =
  /** There is none, or none that this actor may see. */
  "unknown-request" | "own-request" | "about-yourself" | "not-your-duty" | "not-in-that-state";

/** May this actor approve, reject or withdraw this request? Undefined when it may. */
export function refuseDecision(given: {
  actor: Actor;
  request: StoredRequest | undefined;
  decision: Decision;
}): DecisionRefusal | undefined {
  const { actor, request, decision } = given;
  if (request === undefined || !maySee(actor, request)) return "unknown-request";
  if (decision !== "withdrawn") {
    // A custodian decides about covert posts, an approver about all others; neither stands in for the other.
    if (!actor.roles.includes(request.route === "in-house" ? "custodian" : "approver")) return "not-your-duty";
    if (actor.id === request.requestedBy) return "own-request";
    if (actor.personId !== null && actor.personId === request.personId) return "about-yourself";
  }
  return mayMove(REQUEST_MOVES, request.state, decision) ? undefined : "not-in-that-state";
}
