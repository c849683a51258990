/** What a restart of a line is judged by. */
export type RestartState = {
  /** Was a request ever reserved on this line? */
  readonly isKnown: boolean;
  readonly isHeld: boolean;
  /** Requests on the line that have no outcome yet. */
  readonly undecided: number;
  readonly askedBy: string | null;
};

export type RestartRefusal = "unknown-line" | "not-held" | "undecided" | "same-person";
export type RestartDecision =
  | { readonly ok: true; readonly step: "ask" }
  | { readonly ok: true; readonly step: "restart"; readonly first: string }
  | { readonly ok: false; readonly reason: RestartRefusal };

/**
 * May this person take the next step towards restarting a stopped line? The second step is another person's. While the
 * recipient is held nobody can use the line between the consent and its bureau's taking it over
 * (docs/spec/release-protocol.md, section 3).
 */
export function decideRestart({ isKnown, isHeld, undecided, askedBy }: RestartState, actor: string): RestartDecision {
  if (!isKnown) return { ok: false, reason: "unknown-line" };
  if (!isHeld) return { ok: false, reason: "not-held" };
  if (undecided > 0) return { ok: false, reason: "undecided" };
  if (askedBy === null) return { ok: true, step: "ask" };
  return askedBy === actor ? { ok: false, reason: "same-person" } : { ok: true, step: "restart", first: askedBy };
}
