import {
  type KeyholderRequest,
  type KeyholderResponse,
  type Receipt,
  receiptSchema,
  verifyRequest,
} from "@tipstaff/release-protocol";
import { createAgreementReader, digestsOf, type PinnedAgreement } from "../agreements/agreement-store.ts";
import { fromBase64url, sha256Hex } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { numberOf, textOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";

type Shown = KeyholderRequest<"receipts/count">["receipts"][number];

/**
 * Counts receipts that the bureau signed: the job no longer stands open on its line, and is never released again. The
 * first is final; the same again is `true`, another one `false`, as is what cannot be verified or was never released.
 */
export function countReceipts(
  { store, now }: Keyholder,
  { receipts }: KeyholderRequest<"receipts/count">,
): KeyholderResponse<"receipts/count"> {
  const agreementOf = createAgreementReader(store);
  return store.transaction(() => ({
    counted: receipts.map((shown) => {
      const pinned = agreementOf(shown.agreement);
      if (pinned === undefined) return false;
      const others = digestsOf(store, pinned.agreement.recipient.id).flatMap((digest) => agreementOf(digest) ?? []);
      const receipt = readReceipt(shown, { pinned, others, now: now() });
      return receipt !== undefined && countReceipt(store, receipt, sha256Hex(fromBase64url(shown.request.body)));
    }),
  }));
}

/** A recipient may change its keys while cards are out: the key may be that of any of its pinned agreements. */
function readReceipt(
  { agreement, request }: Shown,
  { pinned, others, now }: { pinned: PinnedAgreement; others: readonly PinnedAgreement[]; now: Date },
): Receipt | undefined {
  const isSigned = [pinned, ...others].some(({ keyFor }) => {
    const publicKeyFor = (keyid: string) => keyFor("receipts", keyid);
    return verifyRequest(request, { publicKeyFor, now, ignoreExpiry: true }).ok;
  });
  if (!isSigned) return undefined;
  const parsed = receiptSchema.safeParse(parseJson(request.body));
  if (!parsed.success) return undefined;
  const mine = parsed.data.agreement === agreement && parsed.data.recipient === pinned.agreement.recipient.id;
  return mine ? parsed.data : undefined;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function countReceipt(store: Store, { job, recipient, order, attempt }: Receipt, digest: string): boolean {
  const row = store.get("select recipient, order_id, last_attempt, receipt from job where job = ?", job);
  if (row === undefined || textOf(row, "recipient") !== recipient || textOf(row, "order_id") !== order) return false;
  if (attempt > numberOf(row, "last_attempt")) return false;
  if (row.receipt !== null) return row.receipt === digest;
  store.run("update job set receipt = ? where job = ?", digest, job);
  return true;
}

/** Cards scanned in at the force no longer count against `unaccounted`; answers how many of these jobs now stand so. */
export function countAccounted(
  { store, now }: Keyholder,
  { recipient, jobs, actor }: KeyholderRequest<"accounted/count">,
): KeyholderResponse<"accounted/count"> {
  const distinct = [...new Set(jobs)];
  return store.transaction(() => {
    const fresh = distinct.filter(
      (job) =>
        store.run("update job set accounted = 1 where job = ? and recipient = ? and accounted = 0", job, recipient) > 0,
    );
    store.run("update counter set unaccounted = unaccounted - ? where recipient = ?", fresh.length, recipient);
    const counted = distinct.filter((job) =>
      store.get("select 1 from job where job = ? and recipient = ? and accounted = 1", job, recipient),
    ).length;
    if (fresh.length > 0) {
      appendJournal(store, { at: now(), what: "accounted-counted", detail: { recipient, actor, count: fresh.length } });
    }
    return { counted };
  });
}

/** A person allows one further attempt of a job. */
export function approveAttempt(
  { store, now }: Keyholder,
  { job, attempt, actor }: KeyholderRequest<"attempts/approve">,
): KeyholderResponse<"attempts/approve"> {
  return store.transaction(() => {
    const added = store.run(
      "insert into approval (job, attempt, actor) values (?, ?, ?) on conflict do nothing",
      ...[job, attempt, actor],
    );
    if (added > 0) appendJournal(store, { at: now(), what: "attempt-approved", detail: { job, attempt, actor } });
    return { approved: true };
  });
}
