import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Desk } from "../desk.ts";
import { Problem } from "../server/problem.ts";
import { type Action, type Actor, mayDo } from "./roles.ts";
import { findActor } from "./tokens.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set before every handler under /api. */
    actor: Actor | undefined;
  }
}

/** Makes every route of this instance demand a bearer token of staff. */
export function demandStaff(api: FastifyInstance, desk: Desk): void {
  api.decorateRequest("actor", undefined);
  api.addHook("onRequest", async (request) => {
    request.actor = await findActor(desk.pool, request.headers.authorization);
    if (request.actor === undefined) {
      throw new Problem(401, "unknown-token", "A bearer token of a member of staff is required");
    }
  });
}

/** The actor, if the roles allow the action; throws Problem 403 `not-allowed` otherwise. */
export function requireAction(request: FastifyRequest, action: Action): Actor {
  const { actor } = request;
  if (actor === undefined || !mayDo(actor, action)) {
    throw new Problem(403, "not-allowed", "Your roles do not allow this", { detail: action });
  }
  return actor;
}
