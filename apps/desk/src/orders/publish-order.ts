import type { PoolClient } from "pg";
import { contextOf, type OrderTerms, type SealedCard } from "./seal-batch.ts";

const ROWS = 2000;

/**
 * Makes the order's cards and jobs visible, within the caller's transaction, and moves its requests to `ordered`. A
 * request that was withdrawn while the order was sealed leaves its job cancelled and its card void: the ciphertext in
 * the order file can never be opened. Answers those requests.
 */
export async function publishOrder(
  client: PoolClient,
  force: string,
  given: { terms: OrderTerms; sealed: readonly SealedCard[]; digest: string; fileName: string },
): Promise<string[]> {
  const { terms, sealed, digest, fileName } = given;
  const withdrawn: string[] = [];
  for (let start = 0; start < sealed.length; start += ROWS) {
    const cards = sealed.slice(start, start + ROWS);
    const ordered = await moveRequests(client, cards);
    await insertCards(client, terms, { cards, ordered });
    await insertJobs(client, force, { terms, cards, ordered });
    withdrawn.push(...cards.filter(({ request }) => !ordered.has(request)).map(({ request }) => request));
  }
  await client.query(`update "order" set state = 'sealed', jobs = $2, file_digest = $3, file_name = $4 where id = $1`, [
    terms.order,
    sealed.length - withdrawn.length,
    Buffer.from(digest, "hex"),
    fileName,
  ]);
  return withdrawn;
}

async function moveRequests(client: PoolClient, cards: readonly SealedCard[]): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(
    "update request set state = 'ordered' where id = any($1::uuid[]) and state = 'approved' returning id",
    [cards.map(({ request }) => request)],
  );
  return new Set(rows.map(({ id }) => id));
}

type Rows = { cards: readonly SealedCard[]; ordered: ReadonlySet<string> };

async function insertCards(client: PoolClient, terms: OrderTerms, { cards, ordered }: Rows): Promise<void> {
  await client.query(
    `insert into card (id, number, person_id, request_id, kind, validity, custody, expires_on, replaces_card, made_at)
     select n.id, n.number, n.person, n.request, n.kind, n.validity, 'bureau', $7, r.replaces_card, $8
     from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
       as n(id, number, person, request, kind, validity)
     join request r on r.id = n.request`,
    [
      cards.map(({ card }) => card),
      cards.map(({ number }) => number),
      cards.map(({ person }) => person),
      cards.map(({ request }) => request),
      cards.map(({ kind }) => kind),
      cards.map(({ request }) => (ordered.has(request) ? "inactive" : "void")),
      terms.expiresOn,
      terms.at,
    ],
  );
}

async function insertJobs(
  client: PoolClient,
  force: string,
  { terms, cards, ordered }: Rows & { terms: OrderTerms },
): Promise<void> {
  await client.query(
    `insert into job (id, order_id, recipient, card_id, person_id, record_version, state, context, wrapped)
     select id, $1, $2, card, person, version, state, context, wrapped
     from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::bytea[], $9::bytea[])
       as n(id, card, person, version, state, context, wrapped)`,
    [
      ...[terms.order, terms.recipient],
      cards.map(({ job }) => job),
      cards.map(({ card }) => card),
      cards.map(({ person }) => person),
      cards.map(({ recordVersion }) => recordVersion),
      cards.map(({ request }) => (ordered.has(request) ? "sealed" : "cancelled")),
      cards.map(({ job, kind }) => Buffer.from(contextOf(force, terms, { job, kind }))),
      cards.map(({ request, wrapped }) => (ordered.has(request) ? Buffer.from(wrapped, "base64url") : null)),
    ],
  );
}
