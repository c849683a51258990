import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { listRuns } from "./list-runs.ts";
import { MAX_RUN_MINUTES, type RunRefusal } from "./run-rules.ts";
import { closeRun, openRun } from "./runs.ts";

const openBody = z.strictObject({
  order: z.uuid(),
  jobs: z.int().min(1).max(1_000_000).optional(),
  untilMinutes: z.number().positive().max(MAX_RUN_MINUTES),
});
const params = z.strictObject({ id: z.uuid() });

const WORDS: Readonly<Record<RunRefusal, string>> = {
  "unknown-order": "There is no such order",
  "order-expired": "The order's time is over; make a new one",
  "no-jobs-left": "No job of this order is left to release, or all are in open runs",
  "unknown-run": "There is no such run",
  "run-closed": "The run is closed already",
};

export function registerRunRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/runs", async (request) => {
    const actor = requireAction(request, "open-run");
    const { order, jobs, untilMinutes } = parseBody(openBody, request.body);
    const answer = await openRun(desk, { order, jobs, untilMinutes, actor: actor.id });
    if (!answer.ok) throw refusal(answer.reason);
    return answer.run;
  });
  api.post("/runs/:id/close", async (request) => {
    const actor = requireAction(request, "open-run");
    const { id } = parseBody(params, request.params);
    const answer = await closeRun(desk, { run: id, actor: actor.id });
    if (!answer.ok) throw refusal(answer.reason);
    return { closed: true };
  });
  api.get("/runs", async (request) => {
    requireAction(request, "list-runs");
    return { runs: await listRuns(desk.pool) };
  });
}

function refusal(reason: RunRefusal): Problem {
  return new Problem(reason.startsWith("unknown-") ? 404 : 409, reason, WORDS[reason]);
}
