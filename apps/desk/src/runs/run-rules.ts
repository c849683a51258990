export const MAX_RUN_MINUTES = 24 * 60;

export type RunRefusal =
  /** There is none for this. */
  "unknown-order" | "order-expired" | "no-jobs-left" | "unknown-run" | "run-closed";

/** May a run be opened for this order? Undefined when it may. */
export function refuseRun(given: {
  order: { readonly state: string; readonly expiresAt: Date } | undefined;
  freeJobs: number;
  now: Date;
}): RunRefusal | undefined {
  const { order, freeJobs, now } = given;
  if (order === undefined || order.state === "sealing") return "unknown-order";
  if (order.state !== "sealed" || order.expiresAt <= now) return "order-expired";
  return freeJobs === 0 ? "no-jobs-left" : undefined;
}
