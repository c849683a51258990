import { randomUUID } from "node:crypto";
import { INDEXED_FIELDS } from "@tipstaff/sealing";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import { type Actor, maySee } from "../access/roles.ts";
import { routeFor } from "../cards/request-rules.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { budgetExceeded } from "../server/budget-exceeded.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { toNumber } from "./cell-rules.ts";
import { MAX_LENGTHS } from "./person-details.ts";
import { erasePerson, type OpenedPerson, readOneAlike } from "./register.ts";

const onePerson = z.strictObject({ person: z.uuid() });
const byNumber = z.strictObject({ number: z.string().min(1).max(MAX_LENGTHS.payNumber) });

/** Reading and erasing one person; each reading stands on the ledger before it is answered. */
export function registerPeopleRoutes(api: FastifyInstance, desk: Desk): void {
  // Asked in a body: addresses are kept by whatever stands between, and a number is a person's.
  api.post("/people/find", async (request) => {
    const actor = requireAction(request, "view-person");
    const { number } = parseBody(byNumber, request.body);
    return await viewPerson(desk, actor, await findByNumber(desk, actor, toNumber(number)));
  });
  api.get("/people/:person", async (request) => {
    const actor = requireAction(request, "view-person");
    return await viewPerson(desk, actor, parseBody(onePerson, request.params).person);
  });
  api.post("/people/:person/erase", async (request) => {
    const actor = requireAction(request, "erase-person");
    const { person } = parseBody(onePerson, request.params);
    const answer = await erasePerson(desk, person, actor.id);
    if (!answer.ok) throw unknownPerson();
    return { erased: true };
  });
}

/** Who has this number, as one who may be shown or not; somebody who is not there where nobody has it. */
export async function findByNumber(
  desk: Pick<Desk, "pool" | "keyholder">,
  actor: Actor,
  value: string,
): Promise<string> {
  const question = { purpose: "search", reference: `find/${randomUUID()}`, actor: actor.id } as const;
  const numbers = INDEXED_FIELDS.map((field) => ({ field, value }));
  const answer = await desk.keyholder.call("indexes/compute", { ...question, numbers, rows: [] });
  if (!answer.ok) throw budgetExceeded(answer.left);
  const indexes = answer.numbers.map((index) => Buffer.from(index, "base64url"));
  const { rows } = await desk.pool.query<{ id: string }>(
    "select id from person where pay_index = $1 or warrant_index = $2 order by (pay_index = $1) desc nulls last limit 1",
    indexes,
  );
  return rows[0]?.id ?? randomUUID();
}

/** Whoever may not see a covert post costs the same work, openings and journal by asking for it as by asking for nobody. */
async function viewPerson(desk: Desk, actor: Actor, id: string) {
  const reference = `view/${randomUUID()}`;
  const person = await readOneAlike(desk, id, { purpose: "view", reference, actor: actor.id });
  if (person === null || !maySeePerson(actor, person)) throw unknownPerson();
  const at = desk.now().toISOString();
  const draft = { kind: "opened", reference, subject: id, actor: actor.id, at };
  const { value: presence } = await recordEntries(desk, [draft], async (client) => {
    const { rows } = await client.query<{ presence: string }>("select presence from person where id = $1", [id]);
    return rows[0]?.presence ?? "erased";
  });
  const { details, recordVersion, hasPortrait } = person;
  return { id, presence, recordVersion, details, hasPortrait };
}

/** Covert posts are seen by their custodians alone; to others they are nobody. */
export function maySeePerson(actor: Actor, { details }: Pick<OpenedPerson, "details">): boolean {
  return maySee(actor, { route: routeFor(details.postSensitivity) });
}

export function unknownPerson(): Problem {
  return new Problem(404, "unknown-person", "There is no such person, or none that you may see");
}
