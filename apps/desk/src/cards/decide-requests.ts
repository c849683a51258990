import type { Actor } from "../access/roles.ts";
import type { Desk } from "../desk.ts";
import { inTransaction } from "../entries/record-entries.ts";
import { type Decision, type DecisionRefusal, refuseDecision, type StoredRequest } from "./request-rules.ts";

export type DecisionReport = {
  readonly decided: number;
  readonly refused: readonly { readonly request: string; readonly reason: DecisionRefusal }[];
};

/** Approves, rejects or withdraws these requests; what is refused is told one by one, and the rest is done. */
export async function decideRequests(
  desk: Desk,
  given: { actor: Actor; decision: Decision; ids: readonly string[] },
): Promise<DecisionReport> {
  const { actor, decision } = given;
  const ids = [...new Set(given.ids)];
  return inTransaction(desk.pool, async (client) => {
    const { rows } = await client.query<StoredRequest & { id: string }>(
      `select id, state, route, person_id "personId", requested_by "requestedBy"
       from request where id = any($1::uuid[]) order by id for update`,
      [ids],
    );
    const stored = new Map(rows.map((row) => [row.id, row]));
    const allowed: string[] = [];
    const refused: { request: string; reason: DecisionRefusal }[] = [];
    for (const id of ids) {
      const reason = refuseDecision({ actor, decision, request: stored.get(id) });
      if (reason === undefined) allowed.push(id);
      else refused.push({ request: id, reason });
    }
    await client.query("update request set state = $2, decided_by = $3, decided_at = $4 where id = any($1::uuid[])", [
      allowed,
      decision,
      actor.id,
      desk.now(),
    ]);
    return { decided: allowed.length, refused };
  });
}

/** Approves everything that this actor may approve; the same rules as `refuseDecision`, said to the database. */
export async function approveAll(desk: Desk, actor: Actor): Promise<{ decided: number }> {
  const routes = [
    ...(actor.roles.includes("approver") ? ["bureau"] : []),
    ...(actor.roles.includes("custodian") ? ["in-house"] : []),
  ];
  const { rowCount } = await desk.pool.query(
    `update request set state = 'approved', decided_by = $1, decided_at = $2
     where state = 'requested' and route = any($3) and requested_by <> $1 and person_id is distinct from $4`,
    [actor.id, desk.now(), routes, actor.personId],
  );
  return { decided: rowCount ?? 0 };
}
