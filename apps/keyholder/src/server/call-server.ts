import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Logger } from "pino";
import type { z } from "zod";
import { REFUSED_CALLS, RefusedCall } from "./refused-call.ts";

/** Largest request body, in bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const PLACES_TOLD = 5;

/** One call: it validates what it is given by `parseRequest` before anything else. */
export type ServedCall = { readonly name: string; readonly answer: (body: unknown) => unknown };

/** A request as its schema has it; throws `malformed`. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(parsed.error);
  return parsed.data;
}

/** Serves calls as POST /<name>, JSON in and out; refusals are problem+json with a closed code. */
export function createCallServer(calls: readonly ServedCall[], log: Logger): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, logger: false, keepAliveTimeout: 60_000 });
  for (const { name, answer } of calls) {
    app.post(`/${name}`, async ({ body }, reply) => {
      const started = performance.now();
      const answered = await answer(body);
      if (log.isLevelEnabled("debug"))
        log.debug({ call: name, ms: Math.round(performance.now() - started) }, "answered");
      return reply.type("application/json").send(JSON.stringify(answered));
    });
  }
  app.setNotFoundHandler((_, reply) => sendProblem(reply, new RefusedCall("unknown-call", "there is no such call")));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refused = toRefusedCall(error);
    const call = request.routeOptions.url;
    if (refused.code === "broken" || refused.code === "unavailable") log.error({ call, err: error }, refused.message);
    else log.warn({ call, code: refused.code }, "refused");
    return sendProblem(reply, refused);
  });
  return app;
}

/** The places, not the values: those may be people's. */
function malformed(error: z.ZodError): RefusedCall {
  const places = error.issues.slice(0, PLACES_TOLD).map((issue) => issue.path.join(".") || "body");
  return new RefusedCall("malformed", `the request does not fit its schema at ${places.join(", ")}`);
}

function toRefusedCall(error: FastifyError): RefusedCall {
  if (error instanceof RefusedCall) return error;
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new RefusedCall("too-large", `a request holds at most ${MAX_BODY_BYTES} bytes`);
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new RefusedCall("malformed", "the request is not JSON, or not complete");
  }
  return new RefusedCall("broken", "something is wrong in the keyholder; its log says what");
}

function sendProblem(reply: FastifyReply, { code, message }: RefusedCall): FastifyReply {
  const status = REFUSED_CALLS[code];
  const problem = { type: "about:blank", title: code, status, code, detail: message };
  // Bytes, because fastify adds a charset to texts, which this media type (RFC 9457) has not.
  return reply
    .code(status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}
