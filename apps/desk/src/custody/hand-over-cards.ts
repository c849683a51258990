import type { PoolClient } from "pg";
import type { Actor } from "../access/roles.ts";
import { isLive } from "../cards/request-rules.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { type CustodyRefusal, refuseHandOver } from "./custody-rules.ts";
import {
  CardMoved,
  type FoundCard,
  findCardsByNumber,
  lockCards,
  recordCardEvents,
  whileCardsStand,
} from "./find-cards.ts";

const BATCH = 1000;

export type HandOver = { readonly number: string; readonly identityChecked: boolean };
export type HandOverReport = {
  readonly handedOver: number;
  readonly superseded: number;
  readonly refused: readonly { readonly number: string; readonly reason: CustodyRefusal }[];
};

/**
 * Hands cards to their holders, whose identity this actor checked: only now they are active. A predecessor lives until
 * this moment and is revoked as superseded by it.
 */
export async function handOverCards(desk: Desk, actor: Actor, cards: readonly HandOver[]): Promise<HandOverReport> {
  const report = { handedOver: 0, superseded: 0, refused: [] as { number: string; reason: CustodyRefusal }[] };
  for (let start = 0; start < cards.length; start += BATCH) {
    const batch = cards.slice(start, start + BATCH);
    const answer = await whileCardsStand(() => handOverBatch(desk, actor, batch));
    report.handedOver += answer.handedOver;
    report.superseded += answer.superseded;
    report.refused.push(...answer.refused);
  }
  return report;
}

async function handOverBatch(desk: Desk, actor: Actor, batch: readonly HandOver[]): Promise<HandOverReport> {
  const numbers = batch.map(({ number }) => number);
  const found = new Map((await findCardsByNumber(desk.pool, numbers)).map((card) => [card.number, card]));
  const accepted = new Map<string, FoundCard>();
  const refused: { number: string; reason: CustodyRefusal }[] = [];
  for (const { number, identityChecked } of batch) {
    const card = found.get(number);
    const twice = accepted.has(number) ? ("not-in-that-state" as const) : undefined;
    const reason = twice ?? refuseHandOver({ actor, card, identityChecked });
    if (reason !== undefined) refused.push({ number, reason });
    else if (card !== undefined) accepted.set(number, card);
  }
  const cards = [...accepted.values()];
  if (cards.length === 0) return { handedOver: 0, superseded: 0, refused };
  const predecessors = await findPredecessors(desk, cards);
  const at = desk.now();
  const drafts = [...cards.map(handedOverDraft), ...predecessors.map(supersededDraft)].map((draft) => ({
    ...draft,
    actor: actor.id,
    at: at.toISOString(),
  }));
  await recordEntries(desk, drafts, (client) => storeHandOvers(client, { cards, predecessors, actor, at }));
  return { handedOver: cards.length, superseded: predecessors.length, refused };
}

type Predecessor = { readonly id: string; readonly person: string; readonly validity: "active" | "suspended" };

async function findPredecessors(desk: Desk, cards: readonly FoundCard[]): Promise<Predecessor[]> {
  const ids = cards.flatMap(({ replaces }) => (replaces === null ? [] : [replaces]));
  const { rows } = await desk.pool.query<Predecessor>(
    `select id, person_id person, validity from card
     where id = any($1::uuid[]) and validity in ('active', 'suspended')`,
    [ids],
  );
  return rows;
}

function handedOverDraft({ card, job, order, personId }: FoundCard) {
  return { kind: "handed-over", reference: card, subject: personId, order, job };
}

function supersededDraft({ id, person, validity }: Predecessor) {
  const detail = JSON.stringify({ card: id, from: validity, reason: "superseded", to: "revoked" });
  return { kind: "validity-changed", reference: `${id}/superseded`, subject: person, detail };
}

async function storeHandOvers(
  client: PoolClient,
  given: { cards: readonly FoundCard[]; predecessors: readonly Predecessor[]; actor: Actor; at: Date },
): Promise<void> {
  const { cards, predecessors, actor, at } = given;
  const ids = cards.map(({ card }) => card);
  const old = predecessors.map(({ id }) => id);
  const now = await lockCards(client, [...ids, ...old]);
  for (const { card } of cards) {
    if (refuseHandOver({ actor, card: now.get(card), identityChecked: true }) !== undefined) throw new CardMoved();
  }
  for (const { id, validity } of predecessors) if (now.get(id)?.validity !== validity) throw new CardMoved();
  for (const card of cards) {
    const predecessor = card.replaces === null ? undefined : now.get(card.replaces);
    const known = predecessor === undefined || old.includes(predecessor.card);
    if (!known && predecessor.validity !== "inactive" && isLive(predecessor.validity)) throw new CardMoved();
  }
  await client.query("update card set validity = 'active', custody = 'holder' where id = any($1::uuid[])", [ids]);
  await client.query("update card set validity = 'revoked', revoked_reason = 'superseded' where id = any($1::uuid[])", [
    old,
  ]);
  await recordCardEvents(client, { cards: ids, actor: actor.id, what: "handed-over", at });
  await recordCardEvents(client, { cards: old, actor: actor.id, what: "superseded", at });
}
