import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { demandRecipient } from "../recipients/demand-recipient.ts";
import { nameField } from "../server/fields.ts";
import { parseBody } from "../server/parse-body.ts";
import { approveAttempt } from "./approve-attempt.ts";
import { liftHold } from "./lift-hold.ts";
import { listHolds } from "./list-holds.ts";
import { placeHold } from "./place-hold.ts";
import { restartLine } from "./restart-line.ts";
import { listReleases } from "./waiting-attempts.ts";

/** Why, in words of the person who does it; it stands on the ledger, so no names. */
const words = z.string().trim().min(1).max(200);
const placeBody = z.strictObject({ recipient: nameField, reason: words });
const liftBody = z.strictObject({ despite: words.optional() });
const approveBody = z.strictObject({ job: z.uuid(), attempt: z.int().min(2).max(99) });
const listQuery = z.strictObject({ recipient: nameField.optional(), all: z.enum(["true", "false"]).optional() });
const releasesQuery = z.strictObject({
  recipient: nameField.optional(),
  waiting: z.enum(["true", "false"]).optional(),
});
const restartBody = z.strictObject({ recipient: nameField, line: nameField });
const holdParams = z.strictObject({ hold: z.uuid() });

/** Staff's routes of this room: holds, stopped lines, releases without a receipt, and approvals of further attempts. */
export function registerReleaseRoutes(api: FastifyInstance, desk: Desk): void {
  api.get("/holds", async (request) => {
    requireAction(request, "list-holds");
    const { recipient, all } = parseBody(listQuery, request.query);
    if (recipient !== undefined) await demandRecipient(desk, recipient);
    return { holds: await listHolds(desk.pool, { recipient, all: all === "true" }) };
  });
  api.post("/holds", async (request, reply) => {
    const actor = requireAction(request, "place-hold");
    const { recipient, reason } = parseBody(placeBody, request.body);
    await demandRecipient(desk, recipient);
    const detail = { words: reason };
    const placed = await placeHold(desk, { recipient, reason: "by-hand", detail, placedBy: actor.id });
    return reply.code(placed.placed ? 201 : 200).send(placed);
  });
  api.post("/holds/:hold/lift", async (request) => {
    const actor = requireAction(request, "lift-hold");
    const { hold } = parseBody(holdParams, request.params);
    const { despite } = parseBody(liftBody, request.body);
    return liftHold(desk, { hold, actor: actor.id, despite });
  });
  api.post("/lines/restart", async (request) => {
    const actor = requireAction(request, "restart-line");
    const place = parseBody(restartBody, request.body);
    await demandRecipient(desk, place.recipient);
    return restartLine(desk, { ...place, actor: actor.id });
  });
  api.get("/releases", async (request) => {
    requireAction(request, "list-releases");
    const { recipient, waiting } = parseBody(releasesQuery, request.query);
    if (recipient !== undefined) await demandRecipient(desk, recipient);
    return { releases: await listReleases(desk.pool, { recipient, waiting: waiting === "true" }) };
  });
  api.post("/attempts/approve", async (request) => {
    const actor = requireAction(request, "approve-attempt");
    return approveAttempt(desk, { ...parseBody(approveBody, request.body), actor: actor.id });
  });
}
