import { setTimeout as sleep } from "node:timers/promises";
import type { Receipt } from "@tipstaff/release-protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { DeskClient } from "../desk/desk-client.ts";
import { isPassing } from "../desk/patience.ts";
import type { BureauKeys } from "../installation/keys.ts";
import type { Store } from "../store/store.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * `accepted`: the force has it. `refused`: another receipt of this job was accepted before, which people must look into.
 * `closed`: the bureau is shutting down; it is sent again at the next start.
 */
export type Delivery = "accepted" | "refused" | "closed";

/** Sends recorded receipts until the force has them, whatever happens in between. */
export type ReceiptSender = {
  /** Resolves when the receipt's fate is known; may take as long as the desk is away. The same job again joins it. */
  readonly deliver: (receipt: Receipt) => Promise<Delivery>;
  /** The next delivery on this line to end; `undefined` when none is under way. */
  readonly nextOn: (line: string) => Promise<unknown> | undefined;
  /** Resolves when nothing is under way any more. */
  readonly drained: () => Promise<unknown>;
};

/** `known`: the force had this very receipt, and its signature, before. */
export const acceptedSchema = z.looseObject({ accepted: z.literal(true), known: z.boolean().optional() });

/** The force has another receipt of this job, which people must look into. */
export function writeContradicted(store: Store, { job, line }: Receipt, now: Date): Promise<void> {
  return store.write(() => {
    store.setReceipt(job, "refused");
    store.insertAlarm(now, { kind: "receipt-contradicted", line, job });
  });
}

export function createReceiptSender(options: {
  desk: DeskClient;
  keys: BureauKeys;
  store: Store;
  log: Logger;
  now: () => Date;
  signal: AbortSignal;
}): ReceiptSender {
  const { desk, keys, store, log, now, signal } = options;
  const underway = new Map<string, { line: string; delivery: Promise<Delivery> }>();

  const deliver = async (receipt: Receipt): Promise<Delivery> => {
    let pauseMs = FIRST_PAUSE_MS;
    let toldOf: string | undefined;
    const call = { method: "POST", path: "/v1/receipts", key: keys.receipts, body: receipt } as const;
    for (;;) {
      if (signal.aborted) return "closed";
      const answer = await desk.call(call, acceptedSchema);
      if (answer.kind === "ok") {
        await store.write(() => store.setReceipt(receipt.job, "accepted"));
        if (log.isLevelEnabled("debug")) log.debug({ line: receipt.line, job: receipt.job }, "receipt accepted");
        return "accepted";
      }
      const code = answer.kind === "refused" ? answer.code : answer.why;
      if (code === "already-answered") {
        await writeContradicted(store, receipt, now());
        return "refused";
      }
      // Any other refusal may be cured at the force, and a receipt is never given up.
      const isTold = answer.kind === "refused" ? !isPassing(answer.code) : answer.why === "clock-differs";
      if (isTold && toldOf !== code) {
        toldOf = code;
        log.warn({ job: receipt.job, line: receipt.line, code }, "receipt refused; it is sent again");
        await store.write(() =>
          store.insertAlarm(now(), { kind: `receipt-refused:${code}`, line: receipt.line, job: receipt.job }),
        );
      }
      await sleep(pauseMs * (1 + Math.random() / 4), undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  };

  return {
    deliver: (receipt) => {
      const known = underway.get(receipt.job);
      if (known !== undefined) return known.delivery;
      const delivery = deliver(receipt).finally(() => underway.delete(receipt.job));
      delivery.catch((err) =>
        log.error({ err, job: receipt.job }, "receipt not recorded as sent; it is sent again at start"),
      );
      underway.set(receipt.job, { line: receipt.line, delivery });
      return delivery;
    },
    nextOn: (line) => {
      const onLine = [...underway.values()].filter((sending) => sending.line === line);
      return onLine.length === 0
        ? undefined
        : Promise.race(onLine.map(({ delivery }) => delivery.catch(() => "closed")));
    },
    drained: () => Promise.allSettled([...underway.values()].map(({ delivery }) => delivery)),
  };
}
