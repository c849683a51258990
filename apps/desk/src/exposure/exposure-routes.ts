import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { demandRecipient } from "../recipients/demand-recipient.ts";
import { instantField, nameField } from "../server/fields.ts";
import { parseBody } from "../server/parse-body.ts";
import { Problem } from "../server/problem.ts";
import { toExposureCsv } from "./exposure-csv.ts";
import { createFactsReader } from "./facts-reader.ts";
import { tellExposure } from "./tell-exposure.ts";

const query = z.strictObject({
  recipient: nameField,
  from: instantField,
  to: instantField,
  format: z.enum(["json", "csv"]).default("json"),
});

/** Who was exposed at a recipient in a window, and how sure that is. */
export function registerExposureRoutes(api: FastifyInstance, desk: Desk): void {
  const reader = createFactsReader(desk);
  api.get("/exposure", async (request, reply) => {
    const actor = requireAction(request, "see-exposure");
    const { recipient, from, to, format } = parseBody(query, request.query);
    const asking = { recipient, from: new Date(from), to: new Date(to), actor: actor.id };
    if (asking.from >= asking.to) throw new Problem(400, "empty-window", "The window must begin before it ends");
    await demandRecipient(desk, recipient);
    const { rows, declared, unopenable, ...totals } = await tellExposure(desk, reader, asking);
    const { rows: declaredRows, ...declaredTotals } = declared;
    const { rows: shut, ...unopenableTotals } = unopenable;
    if (format === "csv") return reply.type("text/csv; charset=utf-8").send(toExposureCsv(rows, declaredRows, shut));
    return { ...totals, declared: declaredTotals, unopenable: unopenableTotals };
  });
}
