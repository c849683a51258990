import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";

/** The rooms' routes for staff, under /api. */
export function registerStaffRoutes(_api: FastifyInstance, _desk: Desk): void {}

/** The routes for bureaux, under /v1: signed both ways. */
export function registerBureauRoutes(_app: FastifyInstance, _desk: Desk): void {}
