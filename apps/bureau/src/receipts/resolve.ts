import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import { resolveUncertain } from "../lines/line-state.ts";
import { within } from "../lines/within.ts";
import { makeReceipt, type SpoilReason } from "./make-receipt.ts";

const DELIVERY_PATIENCE_MS = 10_000;

export type Resolution = {
  readonly job: string;
  readonly result: "produced" | "spoiled";
  readonly operator: string;
  readonly reason?: SpoilReason | undefined;
};

/**
 * An operator has looked at the blank of an uncertain job: the outcome is recorded under the operator's id and its receipt
 * sent. Throws `refused` when the job is not uncertain.
 */
export async function resolveJob(bureau: Bureau, { job, result, operator, reason }: Resolution) {
  const { store, printer, receipts, settings } = bureau;
  const record = store.job(job);
  const intent = store.undecidedIntent(job);
  const order = record === undefined ? undefined : store.order(record.order);
  const resolved = record === undefined ? undefined : resolveUncertain(record, result);
  if (resolved?.ok !== true || intent === undefined || order === undefined) {
    throw new BureauError("refused", "The job is not uncertain; bureau status lists those that are");
  }
  // `crash`: the reason that is true of every uncertain job, unless the operator has seen a better one.
  const outcome =
    result === "produced" ? { result, resolved: operator } : { result, reason: reason ?? "crash", resolved: operator };
  if (result === "spoiled") await printer.putAside(intent.blank);
  const { agreement } = order;
  const about = { recipient: settings.recipient, order: order.order, agreement, intent, at: bureau.now() };
  const receipt = makeReceipt(outcome, about);
  await store.write(() => {
    store.decideIntent(intent, receipt);
    store.setJob(resolved.job);
    store.insertReceipt(receipt);
  });
  bureau.log.info({ job, result, line: intent.line }, "uncertain job resolved");
  const delivery = await within(DELIVERY_PATIENCE_MS, receipts.deliver(receipt));
  return { job, result, blank: intent.blank, receipt: delivery ?? "waiting" };
}
