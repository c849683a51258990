import type { FastifyInstance } from "fastify";
import { registerRequestRoutes } from "../cards/request-routes.ts";
import { registerCensusRoutes } from "../census/census-routes.ts";
import { registerCustodyRoutes } from "../custody/custody-routes.ts";
import type { Desk } from "../desk.ts";
import { registerDisclosureRoutes } from "../disclosures/disclosure-routes.ts";
import { registerExposureRoutes } from "../exposure/exposure-routes.ts";
import { orderRoutesForBureaux } from "../orders/bureau-orders.ts";
import { registerOrderRoutes } from "../orders/order-routes.ts";
import { registerHistoryRoutes } from "../people/history-routes.ts";
import { registerPeopleRoutes } from "../people/people-routes.ts";
import { registerReleaseBureauRoutes } from "../releases/bureau-routes.ts";
import { registerReleaseRoutes } from "../releases/release-routes.ts";
import { registerSigned } from "../releases/signed-routes.ts";
import { runRoutesForBureaux } from "../runs/bureau-runs.ts";
import { registerRunRoutes } from "../runs/run-routes.ts";
import { registerStatusRoutes } from "./status-routes.ts";

/** The rooms' routes for staff, under /api. */
export function registerStaffRoutes(api: FastifyInstance, desk: Desk): void {
  registerPeopleRoutes(api, desk);
  registerHistoryRoutes(api, desk);
  registerRequestRoutes(api, desk);
  registerOrderRoutes(api, desk);
  registerRunRoutes(api, desk);
  registerCustodyRoutes(api, desk);
  registerReleaseRoutes(api, desk);
  registerDisclosureRoutes(api, desk);
  registerExposureRoutes(api, desk);
  registerCensusRoutes(api, desk);
  registerStatusRoutes(api, desk);
}

/** The routes for bureaux, under /v1: signed both ways. */
export function registerBureauRoutes(app: FastifyInstance, desk: Desk): void {
  registerSigned(app, desk, [...orderRoutesForBureaux(desk), ...runRoutesForBureaux(desk)]);
  registerReleaseBureauRoutes(app, desk);
}
