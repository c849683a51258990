/**
 * The four tables of states (docs/spec/states.md): every allowed move, and nothing else.
 * A state without moves is an end.
 */
export const REQUEST_MOVES = {
  requested: ["approved", "rejected", "withdrawn"],
  approved: ["ordered", "withdrawn"],
  ordered: ["approved"],
  rejected: [],
  withdrawn: [],
} as const;

export const JOB_MOVES = {
  sealed: ["reserved", "cancelled", "expired"],
  reserved: ["logged", "cancelled"],
  logged: ["released", "cancelled"],
  released: ["produced", "spoiled", "uncertain", "reserved"],
  uncertain: ["produced", "spoiled"],
  produced: [],
  spoiled: [],
  cancelled: [],
  expired: [],
} as const;

export const VALIDITY_MOVES = {
  inactive: ["active", "revoked", "expired", "void"],
  active: ["suspended", "revoked", "expired"],
  suspended: ["active", "revoked", "expired"],
  revoked: [],
  expired: [],
  void: [],
} as const;

export const CUSTODY_MOVES = {
  bureau: ["transit", "station", "missing"],
  transit: ["station", "missing"],
  station: ["holder", "destroyed", "missing"],
  holder: ["manager", "station", "missing"],
  manager: ["station", "holder", "destroyed", "missing"],
  missing: ["station"],
  destroyed: [],
} as const;

type Moves = Readonly<Record<string, readonly string[]>>;

export type RequestState = keyof typeof REQUEST_MOVES;
export type JobState = keyof typeof JOB_MOVES;
export type Validity = keyof typeof VALIDITY_MOVES;
export type Custody = keyof typeof CUSTODY_MOVES;

/** May a thing in state `from` become `to`? An unknown state has no moves. */
export function mayMove(moves: Moves, from: string, to: string): boolean {
  return Object.hasOwn(moves, from) && (moves[from] ?? []).includes(to);
}

export const REVOCATION_REASONS = [
  "lost",
  "stolen",
  "damaged",
  "superseded",
  "leaver",
  "dismissed",
  "compromised",
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];
