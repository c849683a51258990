import { type CategoryId, findCategory } from "@tipstaff/agreement";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { demandRecipient } from "../recipients/demand-recipient.ts";
import { instantField, nameField } from "../server/fields.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { declareDisclosure } from "./declare-disclosure.ts";
import { type DisclosureRefusal, readNumbers, refuseTerms } from "./disclosure-rules.ts";
import { listDisclosures } from "./list-disclosures.ts";

const MAX_LINES = 200_000;
const MAX_LINE_LENGTH = 64;
const MAX_CATEGORIES = 32;

const declareBody = z.strictObject({
  recipient: nameField,
  from: instantField,
  to: instantField.optional(),
  categories: z.array(z.string().min(1).max(64)).min(1).max(MAX_CATEGORIES),
  /** One warrant or pay number a line. */
  lines: z.array(z.string().max(MAX_LINE_LENGTH)).min(1).max(MAX_LINES),
  reason: z.string().trim().min(1).max(200),
  dryRun: z.boolean().default(false),
});
const listQuery = z.strictObject({ recipient: nameField.optional() });

const WORDS: Readonly<Record<DisclosureRefusal, string>> = {
  "empty-time": "The disclosure must begin before it ends",
  "in-the-future": "Only what was disclosed already can be declared; leave its end out where it has not ended",
};

/** Disclosures that were made before this log, or outside it: declared by a person, proved by nothing. */
export function registerDisclosureRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/disclosures", async (request) => {
    const actor = requireAction(request, "declare-disclosure");
    const { recipient, from, to, categories, lines, reason, dryRun } = parseBody(declareBody, request.body);
    const terms = {
      ...{ recipient, from: new Date(from), to: to === undefined ? null : new Date(to) },
      categories: [...new Set(categories.map(toCategory))].sort(),
    };
    const refused = refuseTerms(terms, desk.now());
    if (refused !== undefined) throw new Problem(400, refused, WORDS[refused]);
    const list = readNumbers(lines);
    if (list.length === 0) throw new Problem(400, "nobody-listed", "The list holds no number");
    const declared = await declareDisclosure(desk, { terms, reason, list, actor: actor.id, dryRun });
    return { ...terms, ...declared };
  });
  api.get("/disclosures", async (request) => {
    requireAction(request, "list-disclosures");
    const { recipient } = parseBody(listQuery, request.query);
    if (recipient !== undefined) await demandRecipient(desk, recipient);
    return { disclosures: await listDisclosures(desk.pool, recipient) };
  });
}

function toCategory(text: string, at: number): CategoryId {
  const found = findCategory(text);
  if (found.ok) return found.category.id;
  const nearest = found.suggestion === undefined ? "" : `; the nearest is ${found.suggestion}`;
  throw new Problem(400, "unknown-category", "A category is unknown", { detail: `number ${at + 1}${nearest}` });
}
