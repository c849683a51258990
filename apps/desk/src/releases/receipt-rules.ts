import type { Receipt, RefusalCode } from "@tipstaff/release-protocol";
import type { JobState } from "../cards/states.ts";
import type { Tripwire } from "./decide-release.ts";

/** What a receipt is judged by. Digests are hex. */
export type ReceiptState = {
  readonly job:
    | {
        readonly recipient: string;
        readonly order: string;
        readonly agreementDigest: string;
        readonly state: JobState;
        /** The receipt that stands. */
        readonly receiptDigest: string | null;
      }
    | undefined;
  /** The release that the receipt is about, by its attempt. */
  readonly release: { readonly state: string; readonly line: string } | undefined;
};

export type ReceiptDecision =
  /** `same`: this very receipt stands already. `signed`: it stood without its signature, which is kept now. */
  | { readonly ok: true; readonly kind: "accept" | "same" | "signed" }
  | {
      readonly ok: false;
      readonly code: RefusalCode;
      readonly words: string;
      readonly tripwire?: Tripwire;
      readonly retryAfterSeconds?: number;
    };

const refuse = (code: RefusalCode, words: string): ReceiptDecision => ({ ok: false, code, words });

/** Is this receipt the first of a job that was released? The first is final; another with other content alarms. */
export function decideReceipt(receipt: Receipt, digest: string, { job, release }: ReceiptState): ReceiptDecision {
  if (job === undefined || job.recipient !== receipt.recipient || job.order !== receipt.order)
    return refuse("unknown-job", "there is no such job in an order for this recipient");
  if (job.receiptDigest !== null) {
    if (job.receiptDigest === digest) return { ok: true, kind: "same" };
    const words = "the job has a receipt that says something else";
    return { ok: false, code: "already-answered", words, tripwire: "conflicting-receipt" };
  }
  if (receipt.agreement !== job.agreementDigest)
    return refuse("agreement-not-in-force", "the receipt names another agreement than the order's");
  const isDeciding = job.state === "reserved" || job.state === "logged";
  if (isDeciding || release?.state === "reserved" || release?.state === "logged") {
    const words = "a release of this job is not decided yet";
    return { ok: false, code: "unavailable", words, retryAfterSeconds: 1 };
  }
  if (release?.state !== "released" || (job.state !== "released" && job.state !== "uncertain"))
    return refuse("attempt-refused", "that attempt was never released");
  if (release.line !== receipt.line) return refuse("attempt-refused", "that attempt was released to another line");
  return { ok: true, kind: "accept" };
}
