import type { Pool, PoolClient } from "pg";
import type { StoredCard } from "./custody-rules.ts";

export type FoundCard = StoredCard & {
  readonly card: string;
  readonly number: string;
  readonly blank: string | null;
  readonly kind: string;
  readonly expiresOn: string;
  readonly revokedReason: string | null;
  readonly replaces: string | null;
  readonly job: string;
  readonly order: string;
  readonly recipient: string;
  readonly scanned: boolean;
};

const CARDS = `
  select c.id card, c.number, c.blank, c.kind, c.validity, c.custody, c.person_id "personId",
    to_char(c.expires_on, 'YYYY-MM-DD') "expiresOn", c.revoked_reason "revokedReason", c.replaces_card replaces,
    r.requested_by "requestedBy", j.id job, j.order_id "order", j.recipient, j.released_at is not null released,
    j.state = 'produced' produced, j.scanned_at is not null scanned
  from card c join request r on r.id = c.request_id join job j on j.card_id = c.id`;

/** Finds cards by the serial of their blank. */
export async function findCardsByBlank(db: Pool | PoolClient, blanks: readonly string[]): Promise<FoundCard[]> {
  const { rows } = await db.query<FoundCard>(`${CARDS} where c.blank = any($1)`, [blanks]);
  return rows;
}

/** Finds cards by their number. */
export async function findCardsByNumber(db: Pool | PoolClient, numbers: readonly string[]): Promise<FoundCard[]> {
  const { rows } = await db.query<FoundCard>(`${CARDS} where c.number = any($1)`, [numbers]);
  return rows;
}

/** The same cards again, with their rows locked: jobs first, then cards, each in the order of ids. */
export async function lockCards(client: PoolClient, cards: readonly string[]): Promise<Map<string, FoundCard>> {
  await client.query("select 1 from job where card_id = any($1::uuid[]) order by id for update", [cards]);
  await client.query("select 1 from card where id = any($1::uuid[]) order by id for update", [cards]);
  const { rows } = await client.query<FoundCard>(`${CARDS} where c.id = any($1::uuid[])`, [cards]);
  return new Map(rows.map((row) => [row.card, row]));
}

/** Writes down what happened to these cards, as they stand now. */
export async function recordCardEvents(
  client: PoolClient,
  given: { cards: readonly string[]; actor: string; what: string; at: Date },
): Promise<void> {
  await client.query(
    `insert into card_event (card_id, at, actor, what, validity, custody)
     select id, $2, $3, $4, validity, custody from card where id = any($1::uuid[])`,
    [given.cards, given.at, given.actor, given.what],
  );
}

/** Somebody else changed one of the cards between looking and writing. */
export class CardMoved extends Error {}

const MAX_TRIES = 5;

/** Looks and writes again while somebody else keeps changing the same cards. */
export async function whileCardsStand<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CardMoved) || tries >= MAX_TRIES) throw error;
    }
  }
}
