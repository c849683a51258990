import { randomBytes, randomUUID } from "node:crypto";
import type { Agreement } from "@tipstaff/agreement";
import type { OrderManifest } from "@tipstaff/release-protocol";
import { encodeJobContext } from "@tipstaff/sealing";
import { CARD_KINDS, type CardKind } from "../cards/card-kinds.ts";
import type { Desk } from "../desk.ts";
import { type OpenedPerson, readPeople } from "../people/register.ts";
import { DeskError } from "../server/desk-error.ts";
import { drawCardNumbers } from "./draw-card-numbers.ts";
import type { OrderFile } from "./order-file.ts";
import { decideOrderItem, type OrderRefusal, toFace } from "./order-rules.ts";
import type { SealInput, SealPool } from "./seal-pool.ts";

/** Cards that one thread composes between two messages. */
const THREAD_CHUNK = 4;

/** What is the same for every card of an order. */
export type OrderTerms = {
  readonly order: string;
  readonly recipient: string;
  readonly agreement: Agreement;
  readonly agreementDigest: string;
  readonly templates: Readonly<Record<CardKind, string>>;
  readonly actor: string;
  readonly at: Date;
  readonly expiresOn: string;
};

export type WantedCard = { readonly request: string; readonly person: string; readonly kind: CardKind };

/**
 * A card that is in the order file; `wrapped` is its content key for the keyholder alone, in base64url: small buffers kept
 * until the end would each keep the larger block that they were cut from.
 */
export type SealedCard = WantedCard & {
  readonly job: string;
  readonly card: string;
  readonly number: string;
  readonly recordVersion: number;
  readonly wrapped: string;
  readonly manifest: OrderManifest["jobs"][number];
};

export type NotIncluded = { readonly request: string; readonly reason: OrderRefusal | "covert" };

type ReadyCard = WantedCard & {
  readonly job: string;
  readonly number: string;
  readonly context: Uint8Array;
  readonly contentKey: Buffer;
  readonly opened: OpenedPerson & { readonly portrait: Buffer };
};

/** Opens the records of these cards and decides about each once more: what is refused here never goes further. */
export async function prepareBatch(
  desk: Desk,
  terms: OrderTerms,
  given: { wanted: readonly WantedCard[]; numbersTaken: Set<string> },
): Promise<{ ready: ReadyCard[]; notIncluded: NotIncluded[] }> {
  const { wanted, numbersTaken } = given;
  const present = await readPresent(desk, wanted);
  const people = await readPeople(
    desk,
    wanted.map(({ person }) => person),
    { purpose: "order", reference: `order/${terms.order}`, actor: terms.actor, portraits: true },
  );
  const accepted: (WantedCard & { opened: ReadyCard["opened"] })[] = [];
  const notIncluded: NotIncluded[] = [];
  for (const [index, card] of wanted.entries()) {
    const opened = people[index] ?? null;
    const portrait = opened?.portrait ?? null;
    const decision = decideOrderItem({
      ...{ agreement: terms.agreement, recipient: terms.recipient, kind: card.kind, at: terms.at },
      person: { present: present.has(card.person), details: opened?.details ?? null, hasPortrait: portrait !== null },
    });
    if (!decision.ok) notIncluded.push({ request: card.request, reason: decision.reason });
    else if (opened !== null && portrait !== null) accepted.push({ ...card, opened: { ...opened, portrait } });
  }
  const numbers = await drawCardNumbers(desk.pool, accepted.length, numbersTaken);
  const ready = accepted.map((card, index) => {
    const job = randomUUID();
    const context = contextOf(desk.force, terms, { job, kind: card.kind });
    return { ...card, job, number: numbers[index] ?? "", context, contentKey: randomBytes(32) };
  });
  return { ready, notIncluded };
}

/** The context that a job of this order and kind is bound to. */
export function contextOf(force: string, terms: OrderTerms, given: { job: string; kind: CardKind }): Uint8Array {
  const { order, recipient, agreementDigest, templates } = terms;
  const { job, kind } = given;
  const categories = CARD_KINDS[kind].categories;
  return encodeJobContext({
    force,
    recipient,
    order,
    job,
    agreementDigest,
    templateDigest: templates[kind],
    categories,
  });
}

/** Composes, seals, has the keys wrapped, and appends the ciphertexts, in the order given. */
export async function sealBatch(
  given: { desk: Desk; terms: OrderTerms; pool: SealPool; file: OrderFile },
  ready: readonly ReadyCard[],
): Promise<{ sealed: SealedCard[]; notIncluded: NotIncluded[] }> {
  const { desk, terms, pool, file } = given;
  const chunks: Promise<Awaited<ReturnType<SealPool["seal"]>>>[] = [];
  // Wrapping is asked first: the threads get copies of the keys, and ours are wiped when both are done.
  const wrapping = wrapKeys(desk, ready);
  for (let start = 0; start < ready.length; start += THREAD_CHUNK) {
    chunks.push(pool.seal(ready.slice(start, start + THREAD_CHUNK).map((card) => toSealInput(terms, card))));
  }
  const [wrapped, ...outputs] = await Promise.all([wrapping, ...chunks]);
  const sealed: SealedCard[] = [];
  const notIncluded: NotIncluded[] = [];
  for (const [index, output] of outputs.flat().entries()) {
    const [card, key] = [ready[index], wrapped[index]];
    if (card === undefined || key === undefined) throw new DeskError("broken-invariant", "A batch came back longer");
    card.contentKey.fill(0);
    // Empty where it was handed over to the thread, which wipes it.
    if (card.opened.portrait.length > 0) card.opened.portrait.fill(0);
    const { request, person, kind, job, number } = card;
    if (!output.ok) {
      notIncluded.push({ request, reason: "face-refused" });
      continue;
    }
    const place = await file.append(output.sealed);
    const categories = [...CARD_KINDS[kind].categories].sort();
    const manifest = { job, templateDigest: terms.templates[kind], categories, ...place };
    const recordVersion = card.opened.recordVersion;
    sealed.push({ request, person, kind, job, card: randomUUID(), number, recordVersion, wrapped: key, manifest });
  }
  return { sealed, notIncluded };
}

function toSealInput(terms: OrderTerms, card: ReadyCard): SealInput {
  const { kind, number, opened, context, contentKey } = card;
  return {
    ...{ kind, context, contentKey },
    head: { version: 1, cardKind: kind, cardNumber: number },
    person: {
      ...toFace(kind, opened.details, number),
      force: terms.agreement.controller.name,
      portrait: opened.portrait,
      expiry: terms.expiresOn,
      cardNumber: number,
    },
  };
}

async function wrapKeys(desk: Desk, ready: readonly ReadyCard[]): Promise<readonly string[]> {
  if (ready.length === 0) return [];
  const jobs = ready.map(({ person, kind, context, contentKey, opened }) => ({
    person,
    context: Buffer.from(context).toString("base64url"),
    key: contentKey.toString("base64url"),
    facts: {
      cardKind: kind,
      categories: [...CARD_KINDS[kind].categories].sort(),
      postSensitivity: opened.details.postSensitivity,
      rank: opened.details.rank,
    },
  }));
  const { wrapped } = await desk.keyholder.call("jobs/wrap", { jobs });
  return wrapped;
}

async function readPresent(desk: Desk, wanted: readonly WantedCard[]): Promise<Set<string>> {
  const { rows } = await desk.pool.query<{ id: string }>(
    "select id from person where id = any($1::uuid[]) and presence = 'present'",
    [wanted.map(({ person }) => person)],
  );
  return new Set(rows.map(({ id }) => id));
}
