export type StandingHold = {
  readonly isOverdueReceipt: boolean;
  readonly jobHasReceipt: boolean;
  readonly liftAskedBy: string | null;
  readonly isLifted: boolean;
  /** Words, where a restore is open whose release state was not rebuilt from the log; else undefined. */
  readonly awaitsRebuild: string | undefined;
};

export type LiftDecision =
  | { readonly ok: true; readonly step: "ask" }
  | { readonly ok: true; readonly step: "lift"; readonly first: string }
  | {
      readonly ok: false;
      readonly reason: "already-lifted" | "same-person" | "not-looked-into" | "not-rebuilt";
      readonly words: string;
    };

/** May this person take the next step towards lifting a hold? The second step is another person's. */
export function decideLift(
  hold: StandingHold,
  { actor, despite }: { readonly actor: string; readonly despite?: string | undefined },
): LiftDecision {
  if (hold.isLifted) return { ok: false, reason: "already-lifted", words: "This hold was lifted" };
  if (hold.awaitsRebuild !== undefined) return { ok: false, reason: "not-rebuilt", words: hold.awaitsRebuild };
  if (hold.isOverdueReceipt && !hold.jobHasReceipt && despite === undefined) {
    const words = "The job still has no receipt; have it looked into, or say despite what it may be lifted";
    return { ok: false, reason: "not-looked-into", words };
  }
  if (hold.liftAskedBy === null) return { ok: true, step: "ask" };
  if (hold.liftAskedBy === actor) {
    return { ok: false, reason: "same-person", words: "Another person than the one who asked must lift the hold" };
  }
  return { ok: true, step: "lift", first: hold.liftAskedBy };
}
