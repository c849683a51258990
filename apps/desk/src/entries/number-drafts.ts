import type { EntryDraft } from "@tipstaff/release-protocol";

/** An entry to record; its number among the entries about its subject is given here, not by the caller. */
export type Draft = Omit<EntryDraft, "n">;

/** What a person's count was when the drafts were numbered, and what it will be. */
export type CountMove = { readonly person: string; readonly from: number; readonly to: number };

/**
 * Numbers the drafts about each person, counting on from `counts`, in the order given.
 * A person without a count is not in the register: `unknown` names the first.
 */
export function numberDrafts(
  drafts: readonly Draft[],
  counts: ReadonlyMap<string, number>,
): { ok: true; entries: EntryDraft[]; moves: CountMove[] } | { ok: false; unknown: string } {
  const moves = new Map<string, CountMove>();
  const entries: EntryDraft[] = [];
  for (const draft of drafts) {
    const { subject } = draft;
    if (subject === undefined) {
      entries.push(draft);
      continue;
    }
    const from = counts.get(subject);
    if (from === undefined) return { ok: false, unknown: subject };
    const n = (moves.get(subject)?.to ?? from) + 1;
    moves.set(subject, { person: subject, from, to: n });
    entries.push({ ...draft, n });
  }
  return { ok: true, entries, moves: [...moves.values()] };
}
