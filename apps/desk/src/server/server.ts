import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from "fastify";
import { demandStaff } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { registerLogRoutes } from "./log-routes.ts";
import { Problem, toProblemBody } from "./problem.ts";
import { registerBureauRoutes, registerStaffRoutes } from "./rooms.ts";
import { isUnavailable } from "./unavailable.ts";

/** A request for 47,000 people by id is about 2 MB. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** The desk's HTTP face: the staff API under /api, the bureau's under /v1, the log's public files under /log. */
export function createServer(desk: Desk): FastifyInstance {
  const logger: FastifyBaseLogger = desk.log;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: "idle",
  });
  if (desk.log.isLevelEnabled("debug")) logAnswers(app, desk.log);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = error instanceof Problem ? error : toProblem(error);
    if (problem.status >= 500) request.log.error({ err: error, route: request.routeOptions.url }, "request failed");
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => {
    sendProblem(reply, new Problem(404, "no-such-route", "There is no such route"));
  });
  app.register(
    async (api) => {
      demandStaff(api, desk);
      registerStaffRoutes(api, desk);
    },
    { prefix: "/api" },
  );
  registerBureauRoutes(app, desk);
  registerLogRoutes(app, desk);
  return app;
}

/** One line a request, for whoever asked for it. The route's pattern: an address itself may hold a name or a number. */
function logAnswers(app: FastifyInstance, log: Pick<Desk["log"], "debug">): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method, url: route = "none" } = request.routeOptions;
    log.debug({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, "answered");
  });
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  reply.code(problem.status).type("application/problem+json").send(toProblemBody(problem));
}

/** Errors that no rule of ours raised: what the client did wrong is told, what we did wrong is only logged. */
function toProblem(error: FastifyError): Problem {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return new Problem(status, "malformed", "The request cannot be read");
  const transient = isUnavailable(error);
  if (transient) {
    const title = "The desk cannot reach its database or its keyholder";
    return new Problem(503, "unavailable", title, { retryAfterSeconds: 1 });
  }
  return new Problem(500, "failed", "The desk failed; its log says why");
}
