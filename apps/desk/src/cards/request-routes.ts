import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { approveAll, type DecisionReport, decideRequests } from "./decide-requests.ts";
import { countRequests, listRequests } from "./list-requests.ts";
import type { Decision } from "./request-rules.ts";
import { requestCards, requestForAll } from "./requests.ts";
import { REQUEST_MOVES } from "./states.ts";

const MAX_ITEMS = 100_000;
/** Of refusals told in one answer; the count is always whole. */
const MAX_REFUSALS_TOLD = 1000;
const uuid = z.uuid();
const requestBody = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({
    items: z
      .array(z.strictObject({ person: uuid, kind: z.string().max(40).optional() }))
      .min(1)
      .max(MAX_ITEMS),
  }),
]);
const decisionBody = z.strictObject({ requests: z.array(uuid).min(1).max(MAX_ITEMS) });
const approvalBody = z.union([z.strictObject({ all: z.literal(true) }), decisionBody]);
const stateNames = Object.keys(REQUEST_MOVES);
const listQuery = z.strictObject({
  state: z
    .string()
    .refine((state) => stateNames.includes(state), `one of these is required: ${stateNames.join(", ")}`)
    .optional(),
  after: uuid.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export function registerRequestRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/requests", async (request) => {
    const actor = requireAction(request, "request-card");
    const body = parseBody(requestBody, request.body);
    if ("all" in body) return requestForAll(desk, actor);
    const { requested, refused } = await requestCards(desk, actor, body.items);
    if (requested === 0) throw refusalOf(refused.map(({ reason }) => reason));
    return { requested, refused: refused.slice(0, MAX_REFUSALS_TOLD), refusedCount: refused.length };
  });
  api.get("/requests", async (request) => {
    const actor = requireAction(request, "list-requests");
    const page = parseBody(listQuery, request.query);
    const requests = await listRequests(desk.pool, actor, { state: page.state, after: page.after, limit: page.limit });
    return { requests, counts: await countRequests(desk.pool, actor) };
  });
  api.post("/requests/approve", async (request) => {
    const actor = requireAction(request, "decide-request");
    const body = parseBody(approvalBody, request.body);
    if ("all" in body) return { approved: (await approveAll(desk, actor)).decided };
    return decided("approved", await decideRequests(desk, { actor, decision: "approved", ids: body.requests }));
  });
  const others: [string, Decision, "decide-request" | "withdraw-request"][] = [
    ["/requests/reject", "rejected", "decide-request"],
    ["/requests/withdraw", "withdrawn", "withdraw-request"],
  ];
  for (const [url, decision, action] of others) {
    api.post(url, async (request) => {
      const actor = requireAction(request, action);
      const { requests } = parseBody(decisionBody, request.body);
      return decided(decision, await decideRequests(desk, { actor, decision, ids: requests }));
    });
  }
}

function decided(decision: Decision, { decided: count, refused }: DecisionReport) {
  if (count === 0) throw refusalOf(refused.map(({ reason }) => reason));
  return { [decision]: count, refused: refused.slice(0, MAX_REFUSALS_TOLD), refusedCount: refused.length };
}

const WORDS: Readonly<Record<string, string>> = {
  "unknown-person": "There is no such person here",
  "unknown-kind": "No such kind of card is made",
  "kind-does-not-fit": "This kind of card does not fit the person's role",
  "already-requested": "A card of this kind is requested or made already",
  "unknown-request": "There is no such request",
  "own-request": "Whoever requested a card does not decide about it",
  "about-yourself": "Nobody decides about their own card",
  "not-your-duty": "Your roles do not decide about this request",
  "not-in-that-state": "The request is not in a state that allows this",
};

/** Nothing was done: the first reason becomes the code. */
function refusalOf(reasons: readonly string[]): Problem {
  const [code = "unknown-request"] = reasons;
  const status = code.startsWith("unknown-") ? 404 : 409;
  const others = reasons.length > 1 ? { detail: `${reasons.length} were refused, none was done` } : {};
  return new Problem(status, code, WORDS[code] ?? "Refused", others);
}
