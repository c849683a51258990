/** One day's openings of DEKs: what was raised at the console, and what was used. The day is UTC. */
export type BudgetDay = { readonly raised: number; readonly used: number };

/** The day that an instant falls in, as the store's key. */
export const dayOf = (instant: Date): string => instant.toISOString().slice(0, 10);

/** Openings left, never below zero. */
export const openingsLeft = (daily: number, { raised, used }: BudgetDay): number => Math.max(0, daily + raised - used);

/** Takes `count` openings, all or none. */
export function takeOpenings(
  daily: number,
  day: BudgetDay,
  count: number,
): { ok: true; day: BudgetDay } | { ok: false; left: number } {
  const left = openingsLeft(daily, day);
  if (!Number.isInteger(count) || count < 0 || count > left) return { ok: false, left };
  return { ok: true, day: { raised: day.raised, used: day.used + count } };
}
