/** Roles of the force's staff. A login may have several; the separation of duties holds between logins all the same. */
export const ROLES = ["clerk", "approver", "custodian", "production", "receiving", "security", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** What may be asked of the desk, and by whom. What is not listed is refused to everybody. */
export const ACTIONS = {
  "import-people": ["admin"],
  "view-person": ["clerk", "custodian"],
  "erase-person": ["security"],
  "export-history": ["security", "custodian"],
  "take-census": ["security"],
  "request-card": ["clerk", "custodian"],
  "withdraw-request": ["clerk", "custodian"],
  "decide-request": ["approver", "custodian"],
  "list-requests": ["clerk", "approver", "custodian", "production"],
  "activate-agreement": ["security"],
  "create-order": ["production"],
  "list-orders": ["production", "security"],
  "open-run": ["production"],
  "list-runs": ["production", "security", "receiving"],
  "receive-cards": ["receiving"],
  "hand-over-card": ["receiving"],
  "suspend-card": ["receiving", "clerk", "security"],
  "resume-card": ["security"],
  "revoke-card": ["security"],
  "show-card": ["clerk", "receiving", "security", "custodian"],
  "list-holds": ["security", "production"],
  "place-hold": ["security", "production"],
  "lift-hold": ["security"],
  "restart-line": ["security"],
  "approve-attempt": ["security"],
  "see-exposure": ["security"],
  "declare-disclosure": ["security"],
  "list-disclosures": ["security"],
  "list-releases": ["security", "production"],
  "see-status": ["clerk", "approver", "custodian", "production", "receiving", "security", "admin"],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type Action = keyof typeof ACTIONS;

/** A member of staff who asks. `id` is what the ledger's actor parts hold. */
export type Actor = {
  readonly id: string;
  readonly roles: readonly Role[];
  /** The person whom this member of staff is, where the register knows it. */
  readonly personId: string | null;
};

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

/** May this actor ask for this at all? The rules of the thing itself come on top. */
export function mayDo(actor: Actor, action: Action): boolean {
  const allowed: readonly Role[] = ACTIONS[action];
  return actor.roles.some((role) => allowed.includes(role));
}

/** May this actor learn that a thing of this route exists? Covert posts take the route `in-house`. */
export function maySee(actor: Actor, thing: { route: "bureau" | "in-house" }): boolean {
  return thing.route === "bureau" || actor.roles.includes("custodian");
}
