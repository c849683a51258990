import { randomUUID } from "node:crypto";
import { chainRestart } from "@tipstaff/release-protocol";
import type { Pool, PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { inTransaction, recordEntries } from "../entries/record-entries.ts";
import { Problem } from "../server/problem.ts";
import { decideRestart, type RestartDecision, type RestartRefusal } from "./restart-rules.ts";

const WORDS: Readonly<Record<RestartRefusal, string>> = {
  "unknown-line": "No release was ever asked for on this line",
  "not-held": "A line is restarted while its recipient is held: place a hold first",
  undecided: "A request on this line is not decided yet; ask again",
  "same-person": "Another person than the one who asked must restart the line",
};

type Place = { readonly recipient: string; readonly line: string };
type Row = { id: string | null; known: boolean; held: boolean; undecided: number; asked_by: string | null };

/**
 * Two people give a stopped line a chain value that nobody knew before: the first call asks, another person's restarts.
 * Throws Problem where a rule says no.
 */
export async function restartLine(
  desk: Desk,
  { actor, ...place }: Place & { readonly actor: string },
): Promise<Place & { restart: string; restarted: boolean }> {
  const asked = await inTransaction(desk.pool, async (client) => {
    const { row, decision } = await judge(client, place, actor);
    if (decision.step === "restart") return { restart: row.id ?? "", first: decision.first };
    const restart = randomUUID();
    await client.query(
      "insert into line_restart (id, recipient, line, chain, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6)",
      [restart, place.recipient, place.line, toChain(place, restart), actor, desk.now()],
    );
    return { restart, first: undefined };
  });
  const { restart, first } = asked;
  if (first === undefined) return { ...place, restart, restarted: false };
  const at = desk.now();
  const draft = {
    ...{ kind: "hold-lifted", recipient: place.recipient, reference: `line/${restart}`, actor, at: at.toISOString() },
    detail: JSON.stringify({ line: place.line, restart, first }),
  };
  await recordEntries(desk, [draft], async (client) => {
    const { row, decision } = await judge(client, place, actor);
    if (decision.step !== "restart" || row.id !== restart) throw refusal("undecided");
    await client.query("update line set chain = $3 where recipient = $1 and line = $2", [
      place.recipient,
      place.line,
      toChain(place, restart),
    ]);
    await client.query("update line_restart set confirmed_by = $2, confirmed_at = $3 where id = $1", [
      restart,
      actor,
      at,
    ]);
  });
  return { ...place, restart, restarted: true };
}

const toChain = ({ recipient, line }: Place, restart: string): Buffer =>
  Buffer.from(chainRestart(recipient, line, restart));

const refusal = (reason: RestartRefusal): Problem =>
  new Problem(reason === "unknown-line" ? 404 : 409, reason, WORDS[reason]);

/** With the recipient locked, so that nothing is reserved on the line meanwhile. */
async function judge(
  client: PoolClient,
  { recipient, line }: Place,
  actor: string,
): Promise<{ row: Row; decision: Extract<RestartDecision, { ok: true }> }> {
  await client.query("select from recipient_state where recipient = $1 for update", [recipient]);
  const { rows } = await client.query<Row>(
    `select r.id, r.asked_by, exists (select from line where recipient = $1 and line = $2) known,
       exists (select from hold where recipient = $1 and lifted_at is null) held,
       (select count(*)::int from release where recipient = $1 and line = $2 and state in ('reserved', 'logged')) undecided
     from (select 1) one left join line_restart r on r.recipient = $1 and r.line = $2 and r.confirmed_at is null`,
    [recipient, line],
  );
  const [row] = rows;
  if (row === undefined) throw refusal("unknown-line");
  const { known: isKnown, held: isHeld, undecided, asked_by: askedBy } = row;
  const decision = decideRestart({ isKnown, isHeld, undecided, askedBy }, actor);
  if (!decision.ok) throw refusal(decision.reason);
  return { row, decision };
}

/** The restart whose chain value this line still has; undefined once it was used. */
export async function findUnusedRestart(pool: Pool, place: Place & { chain: Buffer }): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from line_restart where recipient = $1 and line = $2 and chain = $3 and confirmed_at is not null`,
    [place.recipient, place.line, place.chain],
  );
  return rows[0]?.id;
}
