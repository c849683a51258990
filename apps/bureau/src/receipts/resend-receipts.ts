import type { Receipt, RefusalCode } from "@tipstaff/release-protocol";
import type { Bureau } from "../bureau.ts";
import { notAnswered } from "../desk/not-answered.ts";
import { askPatiently, isPassing } from "../desk/patience.ts";
import type { ReceiptFilter } from "../store/receipt-statements.ts";
import type { Store } from "../store/store.ts";
import { acceptedSchema, writeContradicted } from "./receipt-sender.ts";

const PATIENCE_MS = 10_000;
/** As many as there are connections beside those of the lines, which may be printing. */
const AT_ONCE = 8;
/** Refusals of whoever asks, not of a receipt: every other receipt would get the same. */
const OF_THE_SENDER: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "malformed",
  "unsigned",
  "bad-signature",
  "stale",
  "unknown-key",
]);

export type Resent = {
  readonly sent: number;
  /** The force lacked the receipt, or its signature. */
  readonly new: number;
  readonly known: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Never acknowledged; these are sent without being asked. */
  readonly waiting: number;
};

/**
 * Sends every receipt that the force once acknowledged again, for a force that lost them. What the force has already stays
 * as it is, so a second time changes nothing. Throws `unreachable` or `refused` where the rest was not sent.
 */
export async function resendReceipts(bureau: Bureau, filter: ReceiptFilter): Promise<Resent> {
  const { store, log } = bureau;
  const counts = { sent: 0, new: 0, known: 0 };
  const refused: Record<string, number> = {};
  const receipts = acknowledged(store, filter);
  let failure: unknown;
  const send = async (): Promise<void> => {
    for (const receipt of receipts) {
      if (failure !== undefined) return;
      const fate = await resend(bureau, receipt);
      counts.sent += 1;
      if (fate === "new" || fate === "known") counts[fate] += 1;
      else refused[fate] = (refused[fate] ?? 0) + 1;
    }
  };
  await Promise.all(
    Array.from({ length: AT_ONCE }, () =>
      send().catch((error: unknown) => {
        failure ??= error;
      }),
    ),
  );
  log.info({ ...counts, refused }, "receipts sent again");
  if (failure !== undefined) throw failure;
  return { ...counts, refused, waiting: store.receiptCounts().waiting };
}

/** All senders share one walk through the store, which is never in memory as a whole. */
function* acknowledged(store: Store, filter: ReceiptFilter): Generator<Receipt, undefined> {
  for (let after = ""; ; ) {
    const receipts = store.acceptedReceipts(filter, after);
    yield* receipts;
    const last = receipts.at(-1);
    if (last === undefined) return;
    after = last.job;
  }
}

async function resend(bureau: Bureau, receipt: Receipt): Promise<"new" | "known" | RefusalCode> {
  const { desk, keys, store, log, now, signal } = bureau;
  const call = { method: "POST", path: "/v1/receipts", key: keys.receipts, body: receipt } as const;
  const answer = await askPatiently(() => desk.call(call, acceptedSchema), { milliseconds: PATIENCE_MS, signal });
  if (answer.kind === "ok") return answer.value.known === true ? "known" : "new";
  if (answer.kind === "unreachable" || isPassing(answer.code) || OF_THE_SENDER.has(answer.code)) {
    throw notAnswered(answer);
  }
  const { code } = answer;
  const { job, line } = receipt;
  log.warn({ job, line, code }, "a receipt that was acknowledged before is refused");
  if (code === "already-answered") await writeContradicted(store, receipt, now());
  return code;
}
