import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Actor } from "../access/roles.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { budgetExceeded } from "../server/budget-exceeded.ts";
import { parseBody } from "../server/parse-body.ts";
import { toNumber } from "./cell-rules.ts";
import { findByNumber, maySeePerson, unknownPerson } from "./people-routes.ts";
import { MAX_LENGTHS } from "./person-details.ts";
import { buildHistory, type HistoryKeys } from "./person-history.ts";
import { readOneAlike } from "./register.ts";

const purpose = z.string().trim().min(1, "why the history is asked for, without names").max(200);
const asked = z.union([
  z.strictObject({ number: z.string().min(1).max(MAX_LENGTHS.payNumber), purpose }),
  z.strictObject({ person: z.uuid(), purpose }),
]);
const LOGGED_WITHIN_MS = 10_000;

/** One person's whole history with the keys that open it, for that person: a subject access request. */
export function registerHistoryRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/people/history", async (request) => {
    const actor = requireAction(request, "export-history");
    const question = parseBody(asked, request.body);
    const person = "person" in question ? question.person : await findByNumber(desk, actor, toNumber(question.number));
    const reference = `history/${randomUUID()}`;
    const opened = await readOneAlike(desk, person, { purpose: "view", reference, actor: actor.id });
    if (opened === null || !maySeePerson(actor, opened)) throw unknownPerson();
    await recordOpening(desk, actor, { person, reference, purpose: question.purpose });
    return await buildHistory(desk, person, await releaseKeys(desk, actor, { person, purpose: question.purpose }));
  });
}

/** On the ledger before any key is asked for, and so in the history itself. */
async function recordOpening(
  desk: Desk,
  actor: Actor,
  { person, reference, purpose }: { person: string; reference: string; purpose: string },
): Promise<void> {
  const at = desk.now().toISOString();
  const detail = JSON.stringify({ history: purpose });
  const draft = { kind: "opened", reference, subject: person, actor: actor.id, at, detail };
  const { operationIds } = await recordEntries(desk, [draft], async () => undefined);
  await desk.sequencer.waitLogged(operationIds, { timeoutMs: LOGGED_WITHIN_MS });
}

async function releaseKeys(
  { keyholder }: Desk,
  actor: Actor,
  { person, purpose }: { person: string; purpose: string },
): Promise<HistoryKeys> {
  const answer = await keyholder.call("history/keys", { person, actor: actor.id, purpose });
  if (answer.ok) {
    return { tagKey: Buffer.from(answer.tagKey, "base64url"), auditKey: Buffer.from(answer.auditKey, "base64url") };
  }
  throw answer.reason === "budget-exceeded" ? budgetExceeded(answer.left) : unknownPerson();
}
