import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import { isCardKind } from "../cards/card-kinds.ts";
import type { Desk } from "../desk.ts";
import { nameField } from "../server/fields.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem, toProblemBody } from "../server/problem.ts";
import { activateAgreement } from "./agreements.ts";
import { createOrder, type OrderProgress, type OrderReport } from "./create-order.ts";
import { listOrders } from "./list-orders.ts";

const orderBody = z.strictObject({
  recipient: nameField,
  kinds: z.array(z.string().refine(isCardKind, "a kind of card that is made is required")).min(1).max(8).optional(),
  limit: z.int().min(1).max(200_000).optional(),
});
const activationBody = z.strictObject({
  bytes: z
    .string()
    .max(400_000)
    .regex(/^[A-Za-z0-9_-]+$/),
  signatures: z.string().max(8192),
});

export function registerOrderRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/agreements/activate", async (request, reply) => {
    const actor = requireAction(request, "activate-agreement");
    const { bytes, signatures } = parseBody(activationBody, request.body);
    const answer = await activateAgreement(desk, { bytes: Buffer.from(bytes, "base64url"), signatures }, actor.id);
    if (!answer.ok) {
      const detail = answer.detail === undefined ? {} : { detail: answer.detail };
      throw new Problem(409, answer.reason, "The agreement cannot be activated", detail);
    }
    const { state, agreement, peopleNeeded, changes } = answer;
    return reply.code(state === "proposed" ? 202 : 200).send({ state, agreement, peopleNeeded, changes });
  });
  api.get("/agreements", async (request) => {
    requireAction(request, "see-status");
    const { rows } = await desk.pool.query(
      `select encode(digest, 'hex') agreement, id, version, recipient, activated_at "activatedAt",
         superseded_at "supersededAt" from agreement order by activated_at`,
    );
    return { agreements: rows };
  });
  api.post("/orders", async (request, reply) => {
    const actor = requireAction(request, "create-order");
    const body = parseBody(orderBody, request.body);
    const kinds = body.kinds?.filter(isCardKind);
    const wish = { recipient: body.recipient, limit: body.limit, ...(kinds === undefined ? {} : { kinds }) };
    const lines = await startOrder(desk, (hooks) => createOrder(desk, { wish, actor: actor.id, ...hooks }));
    return reply.type("application/x-ndjson").send(Readable.from(lines));
  });
  api.get("/orders", async (request) => {
    requireAction(request, "list-orders");
    return { orders: await listOrders(desk.pool) };
  });
  api.get("/orders/:order", async (request) => {
    requireAction(request, "list-orders");
    const { order } = parseBody(z.strictObject({ order: z.uuid() }), request.params);
    const [found] = await listOrders(desk.pool, order);
    if (found === undefined) throw new Problem(404, "unknown-order", "There is no such order");
    return found;
  });
}

type Hooks = { onProgress: OrderProgress };

/**
 * Resolves once the first card is sealed (before that a refusal has its own status), with the lines to send: progress, then the
 * order. The order goes on though the client goes away. A failure later is a last line with `problem`.
 */
async function startOrder(
  desk: Desk,
  run: (hooks: Hooks) => Promise<OrderReport>,
): Promise<AsyncGenerator<string, void>> {
  let progress: { sealed: number; of: number } | undefined;
  let wake: () => void = () => undefined;
  let started: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    started = resolve;
  });
  const order = run({
    onProgress: (sealed, of) => {
      progress = { sealed, of };
      started();
      wake();
    },
  });
  const ended = order.then(
    () => wake(),
    (error) => {
      if (!(error instanceof Problem)) desk.log.error({ err: error }, "an order failed");
      wake();
    },
  );
  await Promise.race([begun, order]);
  let over = false;
  ended.then(() => {
    over = true;
  });
  return (async function* lines() {
    while (!over) {
      await Promise.race([ended, new Promise<void>((resolve) => (wake = resolve))]);
      if (progress !== undefined) yield `${JSON.stringify(progress)}\n`;
      progress = undefined;
    }
    try {
      yield `${JSON.stringify(await order)}\n`;
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(500, "failed", "The order failed");
      yield `${JSON.stringify({ problem: toProblemBody(problem) })}\n`;
    }
  })();
}
