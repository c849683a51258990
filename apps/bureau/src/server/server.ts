import { createHash, timingSafeEqual } from "node:crypto";
import { SPOIL_REASONS } from "@tipstaff/release-protocol";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import type { Bureau } from "../bureau.ts";
import { BureauError, type BureauErrorCode, isDiskFull } from "../bureau-error.ts";
import { readToken } from "../installation/token.ts";
import { restartLine } from "../lines/restart-line.ts";
import type { Sessions } from "../lines/sessions.ts";
import { fetchOrders } from "../orders/fetch-orders.ts";
import { resendReceipts } from "../receipts/resend-receipts.ts";
import { resolveJob } from "../receipts/resolve.ts";
import { describeStatus } from "./status.ts";

const DEFAULT_PATIENCE_SECONDS = 30;
const MAX_PATIENCE_SECONDS = 3_600;

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const ordinals = z.array(z.int().min(1)).max(100_000).default([]);
const printSchema = z.strictObject({
  run: z.uuid().optional(),
  lines: z.int().min(1).optional(),
  patienceSeconds: z.number().min(0).max(MAX_PATIENCE_SECONDS).default(DEFAULT_PATIENCE_SECONDS),
  spoil: ordinals,
  loseReceipt: ordinals,
});
const resolveSchema = z.strictObject({
  job: z.uuid(),
  result: z.enum(["produced", "spoiled"]),
  operator: name,
  reason: z.enum(SPOIL_REASONS).optional(),
});
const time = z.coerce.date({ error: "a time is required, such as 2026-06-01T12:00:00Z" });
const resendSchema = z.strictObject({ since: time.optional(), order: z.uuid().optional() });
const restartSchema = z.strictObject({ line: name, operator: name });
const eventsSchema = z.strictObject({ since: z.coerce.number().int().min(0).default(0) });
const emptySchema = z.strictObject({});

const STATUS_OF: Partial<Record<BureauErrorCode, number>> = {
  "bad-input": 400,
  refused: 409,
  exists: 409,
  "not-pinned": 409,
  unreachable: 502,
  damaged: 502,
  closed: 503,
};

/** The operator's API, on loopback and behind the token that lies in the bureau's folder. */
export function createServer(bureau: Bureau, sessions: Sessions): FastifyInstance {
  const app = fastify({ logger: false });
  if (bureau.log.isLevelEnabled("debug")) logAnswers(app, bureau.log);
  const expected = digest(readToken(bureau.place));
  app.addHook("onRequest", async (request, reply) => {
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!timingSafeEqual(digest(given), expected)) return problem(reply, 401, "unauthorised", "A token is needed");
  });
  app.setNotFoundHandler((_request, reply) => problem(reply, 404, "not-found", "There is no such route"));
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof z.ZodError) {
      const places = error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
      return problem(reply, 400, "malformed", places.join("; "));
    }
    if (isDiskFull(error)) return problem(reply, 507, "disk-full", diskFull(bureau));
    if (error instanceof BureauError) return problem(reply, STATUS_OF[error.code] ?? 500, error.code, error.message);
    const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
    if (status < 500) return problem(reply, status, "malformed", "The request cannot be read");
    bureau.log.error({ err: error }, "request failed");
    return problem(reply, 500, "failed", "The bureau failed; its log says why");
  });
  app.get("/status", async () => describeStatus(bureau, sessions));
  app.get("/events", async (request) => ({ events: bureau.store.alarms(eventsSchema.parse(request.query).since) }));
  app.post("/fetch", async (request) => {
    emptySchema.parse(request.body ?? {});
    return fetchOrders(bureau);
  });
  app.post("/print", async (request) => sessions.print(printSchema.parse(request.body ?? {})));
  app.post("/resolve", async (request) => resolveJob(bureau, resolveSchema.parse(request.body ?? {})));
  app.post("/receipts/resend", async (request) => resendReceipts(bureau, resendSchema.parse(request.body ?? {})));
  app.post("/restart", async (request) => restartLine(bureau, restartSchema.parse(request.body ?? {})));
  return app;
}

const diskFull = ({ place }: Bureau): string =>
  `The disk is full. Make room for ${place.root}, and do it again; nothing of what was recorded is lost`;

/** One line a request, for whoever asked for it: the route's pattern, never the address. */
function logAnswers(app: FastifyInstance, log: Bureau["log"]): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method, url: route = "none" } = request.routeOptions;
    log.debug({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, "answered");
  });
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function problem(reply: FastifyReply, status: number, code: string, title: string): FastifyReply {
  return reply.code(status).type("application/problem+json").send({ type: "about:blank", title, status, code });
}
