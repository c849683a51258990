import type { Desk } from "../desk.ts";
import type { AskedReceipt } from "./asked-receipt.ts";
import { createBatcher, gatherWhile } from "./batcher.ts";
import { keepSignatures } from "./keep-signatures.ts";
import { loadReceipts } from "./load-receipts.ts";
import { placeHold } from "./place-hold.ts";
import { decideReceipt, type ReceiptDecision } from "./receipt-rules.ts";
import { recordReceipts } from "./record-receipts.ts";
import type { SignedAnswer } from "./signed-routes.ts";

const MAX_BATCH = 256;
const TRIES = 5;

export type ReceiptWriter = { readonly accept: (asked: AskedReceipt) => Promise<SignedAnswer> };

/**
 * Takes receipts in, many in one transaction. `counted` is told after each batch: the keyholder has receipts to count.
 * While `isBusy` the batches are fuller.
 */
export function createReceiptWriter(
  desk: Desk,
  { counted, isBusy }: { counted: () => Promise<unknown>; isBusy: () => boolean },
): ReceiptWriter {
  const work = async (asked: readonly AskedReceipt[]): Promise<SignedAnswer[]> => {
    const answers = new Map<AskedReceipt, SignedAnswer>();
    let left = asked;
    while (left.length > 0) {
      // Two receipts of one job are taken one after the other: the second is judged by the first.
      const firsts = [...new Map(left.toReversed().map((one) => [one.receipt.job, one])).values()];
      const decided = await acceptAll(desk, firsts);
      for (const [at, one] of firsts.entries()) answers.set(one, await toAnswer(desk, one, decided[at]));
      left = left.filter((one) => !firsts.includes(one));
    }
    counted().catch((error: unknown) => desk.log.warn({ err: error }, "the keyholder has not counted receipts yet"));
    return asked.map((one) => answers.get(one) ?? UNAVAILABLE);
  };
  return { accept: createBatcher({ max: MAX_BATCH, gather: gatherWhile(isBusy), work }) };
}

const ACCEPTED: SignedAnswer = { json: { accepted: true } };
const KNOWN: SignedAnswer = { json: { accepted: true, known: true } };
const UNAVAILABLE: SignedAnswer = { refusal: "unavailable", retryAfterSeconds: 1 };

/** Judges each, and records those that are accepted; again when another process moved one of the jobs meanwhile. */
async function acceptAll(desk: Desk, asked: readonly AskedReceipt[]): Promise<ReceiptDecision[]> {
  const signed = new Set<AskedReceipt>();
  for (let tries = 1; ; tries += 1) {
    const loaded = await loadReceipts(desk.pool, asked);
    const decisions = loaded.map(({ asked: one, state }) => decideReceipt(one.receipt, one.digest, state));
    const accepted = loaded.filter((_, at) => isAccept(decisions[at]));
    const unsigned = loaded.filter(({ isUnsigned }, at) => isUnsigned && decisions[at]?.ok === true);
    await keepSignatures(desk.pool, unsigned);
    for (const { asked: one } of unsigned) signed.add(one);
    if (accepted.length === 0 || (await recordReceipts(desk, accepted)) === "recorded") {
      return loaded.map(({ asked: one }, at) => (signed.has(one) ? SIGNED : (decisions[at] ?? MOVED)));
    }
    if (tries === TRIES) return decisions.map((decision) => (isAccept(decision) ? MOVED : decision));
  }
}

const MOVED: ReceiptDecision = { ok: false, code: "unavailable", words: "the job keeps moving", retryAfterSeconds: 1 };

const SIGNED: ReceiptDecision = { ok: true, kind: "signed" };

function isAccept(decision: ReceiptDecision | undefined): boolean {
  return decision?.ok === true && decision.kind === "accept";
}

async function toAnswer(desk: Desk, asked: AskedReceipt, decision: ReceiptDecision | undefined): Promise<SignedAnswer> {
  if (decision === undefined) return UNAVAILABLE;
  if (decision.ok) return decision.kind === "same" ? KNOWN : ACCEPTED;
  const { recipient, job, line } = asked.receipt;
  const { code, words, tripwire, retryAfterSeconds } = decision;
  desk.log.info({ recipient, job, line, code, words }, "receipt refused");
  if (tripwire !== undefined) {
    await placeHold(desk, { recipient, reason: tripwire, detail: { job, line }, placedBy: null });
  }
  return { refusal: code, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}
