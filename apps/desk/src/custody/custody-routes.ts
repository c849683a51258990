import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import { isCardNumber } from "../cards/card-number.ts";
import { REVOCATION_REASONS } from "../cards/states.ts";
import type { Desk } from "../desk.ts";
import { nameField } from "../server/fields.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { type ChangedValidity, changeValidity } from "./change-validity.ts";
import type { CustodyRefusal } from "./custody-rules.ts";
import { findCardsByNumber } from "./find-cards.ts";
import { handOverCards } from "./hand-over-cards.ts";
import { receiveCards } from "./receive-cards.ts";

const MAX_CARDS = 50_000;
const blank = nameField;
const number = z.string().refine(isCardNumber, "a card number is required: ten digits, the last of them a check digit");
const receiveBody = z.strictObject({
  scans: z
    .array(z.union([z.strictObject({ blank }), z.strictObject({ number })]))
    .min(1)
    .max(MAX_CARDS),
});
const handOverBody = z.strictObject({
  cards: z
    .array(z.strictObject({ number, identityChecked: z.boolean() }))
    .min(1)
    .max(MAX_CARDS),
});
const params = z.strictObject({ number });
const reasonBody = z.strictObject({ reason: z.enum(REVOCATION_REASONS) });

const WORDS: Readonly<Record<CustodyRefusal, string>> = {
  "unknown-card": "There is no such card",
  "never-released": "This card was never released to be made",
  "not-in-that-state": "The card is not in a state that allows this",
  "not-produced": "No receipt says that this card was produced",
  "not-at-a-station": "The card is not at a station",
  "own-request": "Whoever requested a card does not hand it over",
  "own-card": "Nobody hands themselves a card",
  "identity-not-checked": "The holder's identity must be checked first",
};

export function registerCustodyRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/cards/receive", async (request) => {
    const actor = requireAction(request, "receive-cards");
    const report = await receiveCards(desk, actor, parseBody(receiveBody, request.body).scans);
    return answerUnlessNone(report.received, report);
  });
  api.post("/cards/hand-over", async (request) => {
    const actor = requireAction(request, "hand-over-card");
    const report = await handOverCards(desk, actor, parseBody(handOverBody, request.body).cards);
    return answerUnlessNone(report.handedOver, report);
  });
  api.get("/cards/:number", async (request) => {
    requireAction(request, "show-card");
    const [card] = await findCardsByNumber(desk.pool, [parseBody(params, request.params).number]);
    if (card === undefined) throw refusal("unknown-card");
    const { validity, custody, kind, expiresOn, blank: serial, revokedReason, personId } = card;
    return { number: card.number, kind, validity, custody, expiresOn, blank: serial, revokedReason, person: personId };
  });
  api.post("/cards/:number/suspend", async (request) => {
    const actor = requireAction(request, "suspend-card");
    const { reason } = parseBody(reasonBody, request.body);
    const { number: card } = parseBody(params, request.params);
    return changed(await changeValidity(desk, actor, { number: card, to: "suspended", reason }));
  });
  api.post("/cards/:number/resume", async (request) => {
    const actor = requireAction(request, "resume-card");
    const { number: card } = parseBody(params, request.params);
    return changed(await changeValidity(desk, actor, { number: card, to: "active", reason: undefined }));
  });
  api.post("/cards/:number/revoke", async (request) => {
    const actor = requireAction(request, "revoke-card");
    const { reason } = parseBody(reasonBody, request.body);
    const { number: card } = parseBody(params, request.params);
    return changed(await changeValidity(desk, actor, { number: card, to: "revoked", reason }));
  });
}

function answerUnlessNone<T extends { refused: readonly { reason: CustodyRefusal }[] }>(done: number, report: T): T {
  const [first] = report.refused;
  if (done > 0 || first === undefined) return report;
  throw refusal(first.reason);
}

function changed(answer: ChangedValidity) {
  if (!answer.ok) throw refusal(answer.reason);
  const { number: card, validity, custody } = answer;
  return { number: card, validity, custody };
}

function refusal(reason: CustodyRefusal): Problem {
  return new Problem(reason === "unknown-card" ? 404 : 409, reason, WORDS[reason]);
}
