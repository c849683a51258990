import { randomInt, randomUUID } from "node:crypto";
import { basename } from "node:path";
import { toLimits } from "@tipstaff/agreement";
import { CARD_KINDS, CARD_VALID_YEARS, type CardKind, isCardKind } from "../cards/card-kinds.ts";
import type { Desk } from "../desk.ts";
import { inTransaction, recordEntries } from "../entries/record-entries.ts";
import { budgetExceeded } from "../server/budget-exceeded.ts";
import { Problem } from "../server/problem.ts";
import { findAgreement } from "./agreements.ts";
import { readTemplateDigests } from "./card-templates.ts";
import { freeRequests } from "./free-requests.ts";
import { createOrderFile, type ManifestHead, manifestRoom, type OrderFile, orderFilePaths } from "./order-file.ts";
import { whileSealing } from "./order-lock.ts";
import { type OrderRefusal, shuffle, tellNotIncluded } from "./order-rules.ts";
import { publishOrder } from "./publish-order.ts";
import {
  type NotIncluded,
  type OrderTerms,
  prepareBatch,
  type SealedCard,
  sealBatch,
  type WantedCard,
} from "./seal-batch.ts";
import { createSealPool, type SealPool } from "./seal-pool.ts";

/** Cards in clear in this process's memory at once: twice this, since the next batch is opened while one is sealed. */
const BATCH = 32;
const MAX_ORDER = 200_000;

export type OrderWish = {
  readonly recipient: string;
  readonly kinds?: readonly CardKind[] | undefined;
  readonly limit?: number | undefined;
};
export type OrderReport = {
  readonly order: string;
  readonly recipient: string;
  readonly agreement: string;
  readonly jobs: number;
  /** SHA-256 of the order file, hex. */
  readonly digest: string;
  readonly expiresAt: string;
  readonly file: string;
  /** Approved requests that stayed out, by reason. */
  readonly notIncluded: Partial<Record<OrderRefusal, number>>;
};
/** Told from the first sealed card on: from then on there will be an order, unless something breaks. */
export type OrderProgress = (done: number, total: number) => void;

/**
 * Makes one sealed order of the approved requests for this recipient. Nothing of it is visible before all of it is; a
 * process that dies in between leaves a half order that `removeHalfOrders` clears away. Throws Problem.
 */
export async function createOrder(
  desk: Desk,
  given: { wish: OrderWish; actor: string; onProgress: OrderProgress },
): Promise<OrderReport> {
  const answer = await whileSealing(desk.pool, async () => {
    const { terms, wanted } = await planOrder(desk, given.wish, given.actor);
    return sealOrder(desk, terms, { wanted, onProgress: given.onProgress });
  });
  if (answer.ok) return answer.value;
  throw new Problem(409, "order-in-progress", "Another order is being sealed; wait for it to end");
}

async function planOrder(
  desk: Desk,
  wish: OrderWish,
  actor: string,
): Promise<{ terms: OrderTerms; wanted: WantedCard[] }> {
  const active = await findAgreement(desk.pool, wish.recipient);
  const at = desk.now();
  if (active === undefined) throw new Problem(409, "no-agreement", "No agreement with this recipient is active");
  const { agreement, digest } = active;
  const { from, until } = agreement.validity;
  if (at.getTime() < Date.parse(from) || at.getTime() >= Date.parse(until)) {
    throw new Problem(409, "agreement-not-in-force", "The agreement with this recipient is not in force now");
  }
  await freeRequests(desk.pool);
  const wanted = await readWanted(desk, wish);
  if (wanted.length === 0) throw new Problem(409, "nothing-to-order", "No approved request waits for this recipient");
  const { budgetLeft } = await desk.keyholder.call("status", {});
  if (budgetLeft < wanted.length) throw budgetExceeded(budgetLeft);
  const expiry = new Date(at);
  expiry.setUTCFullYear(expiry.getUTCFullYear() + CARD_VALID_YEARS);
  const terms: OrderTerms = {
    ...{ order: randomUUID(), recipient: wish.recipient, agreement, agreementDigest: digest, actor, at },
    templates: await readTemplateDigests(desk.folders.templates),
    expiresOn: expiry.toISOString().slice(0, 10),
  };
  return { terms, wanted };
}

async function readWanted(desk: Desk, wish: OrderWish): Promise<WantedCard[]> {
  const { rows } = await desk.pool.query<{ request: string; person: string; kind: string }>(
    `select id as request, person_id as person, kind from request
     where state = 'approved' and route = 'bureau' and kind = any($1) order by requested_at, id limit $2`,
    [wish.kinds ?? Object.keys(CARD_KINDS), Math.min(wish.limit ?? MAX_ORDER, MAX_ORDER)],
  );
  const wanted = rows.flatMap(({ kind, ...row }) => (isCardKind(kind) ? [{ ...row, kind }] : []));
  return shuffle(wanted, randomInt);
}

async function sealOrder(
  desk: Desk,
  terms: OrderTerms,
  given: { wanted: readonly WantedCard[]; onProgress: OrderProgress },
): Promise<OrderReport> {
  const { head, file } = await beginOrder(desk, terms, given.wanted.length);
  const pool = createSealPool(desk.folders.templates);
  try {
    const { sealed, notIncluded } = await sealAll({ desk, terms, pool, file }, given);
    if (sealed.length === 0) {
      await rerouteCovert(desk, notIncluded);
      throw new Problem(409, "nothing-to-order", "None of the approved requests may go into this order", {
        detail: tellNotIncluded(countReasons(notIncluded)),
      });
    }
    const digest = await file.finish({ ...head, jobs: sealed.map(({ manifest }) => manifest) }, async (lineDigest) => {
      const answer = await desk.keyholder.call("orders/sign", { order: terms.order, digest: lineDigest });
      return Buffer.from(answer.signature, "base64url");
    });
    const withdrawn = await recordOrder(desk, terms, { sealed, digest });
    await rerouteCovert(desk, notIncluded);
    desk.log.debug({ order: terms.order, jobs: sealed.length - withdrawn.length }, "order published");
    const left = [...notIncluded, ...withdrawn.map((request) => ({ request, reason: "withdrawn" as const }))];
    return {
      ...{ order: terms.order, recipient: terms.recipient, agreement: terms.agreementDigest, digest },
      jobs: sealed.length - withdrawn.length,
      expiresAt: head.expiresAt,
      file: orderFilePaths(desk.folders.orders, terms.order).finished,
      notIncluded: countReasons(left),
    };
  } catch (error) {
    await file.abandon();
    await desk.pool.query(`delete from "order" where id = $1 and state = 'sealing'`, [terms.order]);
    throw error;
  } finally {
    await pool.close();
  }
}

/** An order that is `sealing` in the database, and its file with room for the manifest of so many cards. */
async function beginOrder(
  desk: Desk,
  terms: OrderTerms,
  count: number,
): Promise<{ head: ManifestHead; file: OrderFile }> {
  const expiresAt = new Date(terms.at.getTime() + toLimits(terms.agreement).orderExpiresAfterSeconds * 1000);
  await desk.pool.query(
    `insert into "order" (id, recipient, agreement_digest, state, created_by, created_at, expires_at)
     values ($1, $2, $3, 'sealing', $4, $5, $6)`,
    [terms.order, terms.recipient, Buffer.from(terms.agreementDigest, "hex"), terms.actor, terms.at, expiresAt],
  );
  const head = manifestHead(desk.force, terms, expiresAt);
  const longestCategories = longest(Object.values(CARD_KINDS).map(({ categories }) => categories));
  const room = manifestRoom(head, { count, longestCategories });
  return { head, file: await createOrderFile(desk.folders.orders, terms.order, room) };
}

async function sealAll(
  sealing: { desk: Desk; terms: OrderTerms; pool: SealPool; file: OrderFile },
  given: { wanted: readonly WantedCard[]; onProgress: OrderProgress },
): Promise<{ sealed: SealedCard[]; notIncluded: NotIncluded[] }> {
  const { desk, terms } = sealing;
  const { wanted, onProgress } = given;
  const numbersTaken = new Set<string>();
  const sealed: SealedCard[] = [];
  const notIncluded: NotIncluded[] = [];
  const prepare = (start: number) =>
    prepareBatch(desk, terms, { wanted: wanted.slice(start, start + BATCH), numbersTaken });
  let next = prepare(0);
  for (let start = 0; start < wanted.length; start += BATCH) {
    const batch = await next;
    const following = start + BATCH < wanted.length ? prepare(start + BATCH) : undefined;
    // Its failure is told when its turn comes; until then it must not end the process.
    following?.catch(() => undefined);
    const done = await sealBatch(sealing, batch.ready);
    sealed.push(...done.sealed);
    notIncluded.push(...batch.notIncluded, ...done.notIncluded);
    desk.log.debug({ order: terms.order, sealed: sealed.length }, "cards of an order sealed");
    if (sealed.length > 0) onProgress(Math.min(start + BATCH, wanted.length), wanted.length);
    if (following !== undefined) next = following;
  }
  return { sealed, notIncluded };
}

async function recordOrder(
  desk: Desk,
  terms: OrderTerms,
  given: { sealed: readonly SealedCard[]; digest: string },
): Promise<string[]> {
  const { order, recipient, agreementDigest, actor } = terms;
  const draft = {
    ...{ kind: "order-sealed", recipient, reference: order, actor, agreement: agreementDigest, order },
    at: desk.now().toISOString(),
    detail: JSON.stringify({ digest: given.digest, jobs: given.sealed.length }),
  };
  const fileName = basename(orderFilePaths(desk.folders.orders, order).finished);
  const { value } = await recordEntries(desk, [draft], (client) =>
    publishOrder(client, desk.force, { ...given, terms, fileName }),
  );
  return value;
}

/**
 * A post that became covert since its approval: no custodian decided it, so the request is withdrawn, unseen by those who
 * made it, and asked anew of a custodian. It is counted nowhere else.
 */
async function rerouteCovert(desk: Desk, notIncluded: readonly NotIncluded[]): Promise<void> {
  const covert = notIncluded.filter(({ reason }) => reason === "covert").map(({ request }) => request);
  if (covert.length === 0) return;
  await inTransaction(desk.pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `update request set state = 'withdrawn', route = 'in-house' where id = any($1::uuid[]) and state = 'approved'
       returning id`,
      [covert],
    );
    await client.query(
      `insert into request (id, person_id, kind, state, route, requested_by, requested_at, replaces_card)
       select gen_random_uuid(), person_id, kind, 'requested', 'in-house', requested_by, $2, replaces_card
       from request where id = any($1::uuid[])`,
      [rows.map(({ id }) => id), desk.now()],
    );
  });
}

function countReasons(notIncluded: readonly NotIncluded[]): Partial<Record<OrderRefusal, number>> {
  const counts: Partial<Record<OrderRefusal, number>> = {};
  for (const { reason } of notIncluded) if (reason !== "covert") counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function manifestHead(force: string, terms: OrderTerms, expiresAt: Date): ManifestHead {
  return {
    version: 1,
    suite: "A256GCM",
    ...{ force, recipient: terms.recipient, order: terms.order },
    agreement: terms.agreementDigest,
    createdAt: terms.at.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}

function longest(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((a, b) => (JSON.stringify(b).length > JSON.stringify(a).length ? b : a), []);
}
