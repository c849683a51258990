import type { Receipt } from "@tipstaff/release-protocol";
import { encodeJobContext, openJob } from "@tipstaff/sealing";
import type { Bureau } from "../bureau.ts";
import { BureauError } from "../bureau-error.ts";
import { toSerial } from "../printer/serial.ts";
import { type BlankOutcome, makeReceipt } from "../receipts/make-receipt.ts";
import type { Intent } from "../store/intent-statements.ts";
import type { SealedPlace } from "../store/job-statements.ts";
import type { OrderRecord } from "../store/order-statements.ts";
import {
  type JobRecord,
  type LineState,
  type Moved,
  markUncertain,
  recordIntent,
  recordOutcome,
} from "./line-state.ts";

/** What the demonstration makes go wrong with this card. */
export type InjectedFault = "spoil" | "lose-receipt" | undefined;

export type Opened = { readonly order: OrderRecord; readonly pages: Uint8Array };

/** A job's ciphertext, as the force signed it. */
export type Sealed = { readonly order: OrderRecord; readonly place: SealedPlace; readonly ciphertext: Uint8Array };

/** Opens one job in memory; throws SealingError. The caller fills `pages` with zeros after use. */
export function openSealedJob(
  bureau: Bureau,
  { job, sealed, contentKey }: { job: JobRecord; sealed: Sealed; contentKey: Uint8Array },
): Opened {
  const { order, place, ciphertext } = sealed;
  const context = encodeJobContext({
    force: order.force,
    recipient: bureau.settings.recipient,
    order: order.order,
    job: job.job,
    agreementDigest: order.agreement,
    templateDigest: place.templateDigest,
    categories: place.categories,
  });
  return { order, pages: openJob({ contentKey, context, sealed: ciphertext }).pages };
}

export type Printed =
  | { readonly kind: "answered"; readonly receipt: Receipt }
  /** A card may exist and nobody has said so: an operator must look. */
  | { readonly kind: "jammed" };

export type Card = {
  readonly line: LineState;
  readonly job: JobRecord;
  readonly opened: Opened;
  /** Asked once the intent stands. */
  readonly nextFault: () => InjectedFault;
};

/**
 * From here on a card may exist: the intent is durable before the printer is given anything, and the outcome and its
 * receipt are durable together before anybody is told.
 */
export async function printCard(bureau: Bureau, card: Card): Promise<Printed> {
  const intended = recordIntent(card.line, card.job);
  if (!intended.ok) throw new BureauError("damaged", "There is no request in flight for this card");
  const intent = await writeIntent(bureau, intended);
  try {
    const fault = card.nextFault();
    await bureau.printer.print(intent.blank, card.opened.pages);
    if (fault === "lose-receipt") throw new BureauError("refused", "The line jammed, as it was told to");
    if (fault === "spoil") await bureau.printer.putAside(intent.blank);
    const outcome =
      fault === "spoil" ? ({ result: "spoiled", reason: "misprint" } as const) : ({ result: "produced" } as const);
    return { kind: "answered", receipt: await writeOutcome(bureau, { job: intended.job, intent, outcome, card }) };
  } catch (err) {
    bureau.log.error({ err, line: intent.line, job: intent.job }, "line jammed: the job is uncertain");
    await writeUncertain(bureau, intended.job, intent);
    return { kind: "jammed" };
  } finally {
    card.opened.pages.fill(0);
  }
}

function writeIntent({ store, settings, now }: Bureau, { line, job }: Moved): Promise<Intent> {
  return store.write(() => {
    const number = store.takeBlank();
    const intent: Intent = {
      job: job.job,
      attempt: job.attempts,
      line: line.line,
      blank: toSerial(settings.blankPrefix, number),
      deviceJob: `${line.line}/${number}`,
      at: now().toISOString(),
    };
    store.setLine(line);
    store.setJob(job);
    store.insertIntent(intent);
    return intent;
  });
}

async function writeOutcome(
  { store, settings, now }: Bureau,
  done: { job: JobRecord; intent: Intent; outcome: BlankOutcome; card: Card },
): Promise<Receipt> {
  const { intent, outcome } = done;
  const recorded = recordOutcome(done.job, outcome.result);
  if (!recorded.ok) throw new BureauError("damaged", "There is no intent for this card");
  const { order, agreement } = done.card.opened.order;
  const receipt = makeReceipt(outcome, { recipient: settings.recipient, order, agreement, intent, at: now() });
  await store.write(() => {
    store.decideIntent(intent, receipt);
    store.setJob(recorded.job);
    store.insertReceipt(receipt);
  });
  return receipt;
}

async function writeUncertain({ store, now }: Bureau, job: JobRecord, intent: Intent): Promise<void> {
  const uncertain = markUncertain(job);
  if (!uncertain.ok) throw new BureauError("damaged", "There is no intent for this card");
  await store.write(() => {
    store.setJob(uncertain.job);
    store.insertAlarm(now(), { kind: "uncertain", line: intent.line, job: intent.job });
  });
}
