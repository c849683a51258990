import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import type { Actor } from "../access/roles.ts";
import type { Desk } from "../desk.ts";
import { readPeople } from "../people/register.ts";
import { decideRequest, type Requestable, type RequestRefusal } from "./request-rules.ts";
import type { Validity } from "./states.ts";

/** People whose details are open in memory at once. */
const BATCH = 1000;

export type RequestedItem = { readonly person: string; readonly kind?: string | undefined };
export type RequestReport = {
  readonly requested: number;
  readonly refused: readonly { readonly person: string; readonly reason: RequestRefusal }[];
};

/** Requests a card for each of these people; what is refused is told one by one, and the rest goes in. */
export async function requestCards(desk: Desk, actor: Actor, items: readonly RequestedItem[]): Promise<RequestReport> {
  let requested = 0;
  const refused: { person: string; reason: RequestRefusal }[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    const answer = await requestBatch(desk, actor, items.slice(start, start + BATCH));
    requested += answer.requested;
    refused.push(...answer.refused);
  }
  return { requested, refused };
}

/**
 * Requests a card for everybody present who has none and for whom none is requested. Nothing is told of those left out,
 * so that no number tells a covert post apart. Asked again after a failure it goes on where it stopped.
 */
export async function requestForAll(desk: Desk, actor: Actor): Promise<{ requested: number }> {
  let requested = 0;
  let after = "00000000-0000-0000-0000-000000000000";
  for (;;) {
    const { rows } = await desk.pool.query<{ id: string }>(
      `select id from person p where id > $1 and presence = 'present'
         and not exists (select 1 from request r where r.person_id = p.id and r.state in ('requested', 'approved'))
         and not exists (select 1 from card c where c.person_id = p.id
                         and c.validity in ('inactive', 'active', 'suspended'))
       order by id limit $2`,
      [after, BATCH],
    );
    const last = rows.at(-1);
    if (last === undefined) return { requested };
    const items = rows.map(({ id }) => ({ person: id }));
    requested += (await requestBatch(desk, actor, items)).requested;
    after = last.id;
  }
}

async function requestBatch(desk: Desk, actor: Actor, items: readonly RequestedItem[]): Promise<RequestReport> {
  const ids = [...new Set(items.map(({ person }) => person))];
  const people = await readRequestables(desk, actor, ids);
  const refused: { person: string; reason: RequestRefusal }[] = [];
  const accepted: { person: string; kind: string; route: string; replaces: string | null }[] = [];
  for (const { person, kind } of items) {
    const answer = decideRequest({ actor, person: people.get(person), kind });
    if (answer.ok) accepted.push({ person, kind: answer.kind, route: answer.route, replaces: answer.replaces });
    else refused.push({ person, reason: answer.reason });
  }
  const { rows } = await desk.pool.query<{ person_id: string; kind: string }>(
    `insert into request (id, person_id, kind, state, route, requested_by, requested_at, replaces_card)
     select id, person_id, kind, 'requested', route, $6, $7, replaces
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[]) as r(id, person_id, kind, route, replaces)
     on conflict (person_id, kind) where state in ('requested', 'approved') do nothing
     returning person_id, kind`,
    [
      accepted.map(() => randomUUID()),
      accepted.map(({ person }) => person),
      accepted.map(({ kind }) => kind),
      accepted.map(({ route }) => route),
      accepted.map(({ replaces }) => replaces),
      actor.id,
      desk.now(),
    ],
  );
  const made = new Set(rows.map((row) => `${row.person_id}/${row.kind}`));
  for (const { person, kind } of accepted) {
    // Somebody else's request came in between, or the same one stands twice in the list.
    if (!made.delete(`${person}/${kind}`)) refused.push({ person, reason: "already-requested" });
  }
  return { requested: rows.length, refused };
}

async function readRequestables(desk: Desk, actor: Actor, ids: readonly string[]): Promise<Map<string, Requestable>> {
  const known = await readStanding(desk.pool, ids);
  const present = [...known.values()].filter((one) => one.present).map(({ id }) => id);
  const reading = { purpose: "request", reference: `request/${randomUUID()}`, actor: actor.id } as const;
  const opened = await readPeople(desk, present, reading);
  const details = new Map(opened.flatMap((one) => (one === null ? [] : [[one.id, one.details] as const])));
  return new Map([...known].map(([id, one]) => [id, { ...one, details: details.get(id) ?? null }]));
}

type Standing = Omit<Requestable, "details"> & { readonly id: string };

async function readStanding(pool: Pool, ids: readonly string[]): Promise<Map<string, Standing>> {
  const { rows } = await pool.query<{
    id: string;
    present: boolean;
    openKinds: string[];
    cards: { id: string; kind: string; validity: Validity }[];
  }>(
    `select id, presence = 'present' as present,
       array(select kind from request where person_id = p.id and state in ('requested', 'approved')) as "openKinds",
       coalesce((select json_agg(json_build_object('id', c.id, 'kind', c.kind, 'validity', c.validity))
                 from card c where c.person_id = p.id), '[]') as cards
     from person p where id = any($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
