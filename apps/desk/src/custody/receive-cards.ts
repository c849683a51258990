import type { PoolClient } from "pg";
import type { Actor } from "../access/roles.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { type CustodyRefusal, refuseReceive } from "./custody-rules.ts";
import {
  CardMoved,
  type FoundCard,
  findCardsByBlank,
  findCardsByNumber,
  lockCards,
  recordCardEvents,
  whileCardsStand,
} from "./find-cards.ts";
import { receiveUnregistered } from "./receive-unregistered.ts";

/** Cards in one transaction. */
const BATCH = 1000;

export type Scan = { readonly blank: string } | { readonly number: string };
export type ReceivedCard = { readonly number: string; readonly kind: string; readonly validity: string };
export type ReceiveReport = {
  readonly received: number;
  readonly cards: readonly ReceivedCard[];
  /** By the place of the scan in the list, from 0. */
  readonly refused: readonly { readonly scan: number; readonly reason: CustodyRefusal }[];
  /**
   * Blanks among those received whose card no register knows, since a restore lost it: they are accounted for, and nothing
   * else can become of them but to be destroyed.
   */
  readonly unregistered: readonly string[];
};

/**
 * Scans cards in at a station, spoiled ones too. The first scan of a card is what makes it accounted for: nothing else
 * lowers the recipient's cap.
 */
export async function receiveCards(desk: Desk, actor: Actor, scans: readonly Scan[]): Promise<ReceiveReport> {
  const cards: ReceivedCard[] = [];
  const refused: { scan: number; reason: CustodyRefusal }[] = [];
  for (let start = 0; start < scans.length; start += BATCH) {
    const answer = await whileCardsStand(() => receiveBatch(desk, actor, scans.slice(start, start + BATCH)));
    cards.push(...answer.cards);
    refused.push(...answer.refused.map(({ scan, reason }) => ({ scan: start + scan, reason })));
  }
  const unknown = refused.flatMap(({ scan, reason }) => {
    const scanned = scans[scan];
    const isBlank = reason === "unknown-card" && scanned !== undefined && "blank" in scanned;
    return isBlank ? [{ scan, blank: scanned.blank }] : [];
  });
  const unregistered = await whileCardsStand(() => receiveUnregistered(desk, actor, unknown));
  const left = refused.filter(({ scan }) => !unregistered.has(scan));
  const received = cards.length + unregistered.size;
  return { received, cards, refused: left, unregistered: [...unregistered.values()] };
}

async function receiveBatch(
  desk: Desk,
  actor: Actor,
  scans: readonly Scan[],
): Promise<Omit<ReceiveReport, "unregistered">> {
  const found = await findScanned(desk, scans);
  const accepted = new Map<string, FoundCard>();
  const refused: { scan: number; reason: CustodyRefusal }[] = [];
  for (const [scan, card] of found.entries()) {
    const reason = card !== undefined && accepted.has(card.card) ? "not-in-that-state" : refuseReceive(card);
    if (reason !== undefined) refused.push({ scan, reason });
    else if (card !== undefined) accepted.set(card.card, card);
  }
  const cards = [...accepted.values()];
  const at = desk.now();
  const first = cards.filter((card) => !card.scanned);
  const drafts = first.map((card) => ({
    ...{ kind: "received", recipient: card.recipient, reference: card.job, subject: card.personId, actor: actor.id },
    ...{ at: at.toISOString(), order: card.order, job: card.job },
  }));
  if (cards.length > 0) {
    await recordEntries(desk, drafts, (client) => storeScans(client, { cards, actor: actor.id, at }));
  }
  return {
    received: cards.length,
    cards: cards.map(({ number, kind, validity }) => ({ number, kind, validity })),
    refused,
  };
}

async function findScanned(desk: Desk, scans: readonly Scan[]): Promise<(FoundCard | undefined)[]> {
  const byBlank = await findCardsByBlank(
    desk.pool,
    scans.flatMap((scan) => ("blank" in scan ? [scan.blank] : [])),
  );
  const byNumber = await findCardsByNumber(
    desk.pool,
    scans.flatMap((scan) => ("number" in scan ? [scan.number] : [])),
  );
  const blanks = new Map<string, FoundCard>();
  // The serials of two contractors' blanks may collide: the card that is still out is the one that arrives.
  for (const card of onePerBlank(byBlank).sort((a, b) => Number(b.scanned) - Number(a.scanned)))
    blanks.set(card.blank ?? "", card);
  const numbers = new Map(byNumber.map((card) => [card.number, card]));
  return scans.map((scan) => ("blank" in scan ? blanks.get(scan.blank) : numbers.get(scan.number)));
}

/**
 * One contractor who says the same blank of several cards is not believed: a piece of plastic accounts for one of them,
 * however often it is scanned. The others have a number of their own to be scanned by.
 */
function onePerBlank(cards: readonly FoundCard[]): FoundCard[] {
  const first = new Map<string, FoundCard>();
  for (const card of cards) {
    const key = `${card.recipient} ${card.blank}`;
    const known = first.get(key);
    const isFirst = known === undefined || (card.scanned && !known.scanned);
    if (isFirst || (card.scanned === known.scanned && card.card < known.card)) first.set(key, card);
  }
  return [...first.values()];
}

async function storeScans(
  client: PoolClient,
  given: { cards: readonly FoundCard[]; actor: string; at: Date },
): Promise<void> {
  const { cards, actor, at } = given;
  const ids = cards.map(({ card }) => card);
  const now = await lockCards(client, ids);
  for (const before of cards) {
    const card = now.get(before.card);
    if (refuseReceive(card) !== undefined || card?.scanned !== before.scanned) throw new CardMoved();
  }
  const jobs = cards.filter(({ scanned }) => !scanned).map(({ job }) => job);
  await client.query("update card set custody = 'station' where id = any($1::uuid[])", [ids]);
  await client.query("update job set scanned_at = $2 where id = any($1::uuid[])", [jobs, at]);
  await client.query(
    `update recipient_state set unaccounted = unaccounted - freed.n
     from (select recipient, count(*)::int n from job where id = any($1::uuid[]) group by 1) freed
     where recipient_state.recipient = freed.recipient`,
    [jobs],
  );
  await client.query(
    `insert into accounted_queue (job_id, actor, at) select id, $2, $3 from unnest($1::uuid[]) as t(id)
     on conflict do nothing`,
    [jobs, actor, at],
  );
  await recordCardEvents(client, { cards: ids, actor, what: "received", at });
}
