import type { FastifyInstance } from "fastify";
import { requireAction } from "../access/require-action.ts";
import type { Desk } from "../desk.ts";
import { Problem } from "../server/problem.ts";
import { isRestoreOpen } from "./census-chore.ts";
import { takeCensus } from "./take-census.ts";

/** A census when somebody asks for one, besides those that the desk takes by itself. */
export function registerCensusRoutes(api: FastifyInstance, desk: Desk): void {
  api.post("/census", async (request) => {
    requireAction(request, "take-census");
    if (await isRestoreOpen(desk.pool)) {
      throw new Problem(409, "restored", "The database was restored; settle that and lift its holds first");
    }
    const taken = await takeCensus(desk);
    if (taken === undefined) throw new Problem(409, "census-busy", "A census is being taken at this moment");
    return taken;
  });
}
