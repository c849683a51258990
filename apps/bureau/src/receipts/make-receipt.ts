import type { Receipt } from "@tipstaff/release-protocol";
import type { Intent } from "../store/intent-statements.ts";

export type SpoilReason = NonNullable<Receipt["reason"]>;

/** What became of a blank. `resolved` is the operator who looked, when nobody else knew. */
export type BlankOutcome =
  | { readonly result: "produced"; readonly resolved?: string | undefined }
  | { readonly result: "spoiled"; readonly reason: SpoilReason; readonly resolved?: string | undefined };

/** The receipt's body (docs/spec/release-protocol.md, section 7). */
export function makeReceipt(
  outcome: BlankOutcome,
  about: { recipient: string; order: string; agreement: string; intent: Intent; at: Date },
): Receipt {
  const { job, attempt, line, blank } = about.intent;
  return {
    version: 1,
    recipient: about.recipient,
    agreement: about.agreement,
    order: about.order,
    job,
    attempt,
    line,
    result: outcome.result,
    blank,
    ...(outcome.result === "spoiled" ? { reason: outcome.reason } : {}),
    ...(outcome.resolved === undefined ? {} : { resolved: outcome.resolved }),
    at: about.at.toISOString(),
    kept: "nothing",
  };
}
