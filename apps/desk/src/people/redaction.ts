import { REGISTER_FIELDS } from "./person-details.ts";

const NEVER_LOGGED = [...REGISTER_FIELDS, "details", "portrait", "cells", "dek", "deks", "key", "token", "wrapped"];

/** Paths for pino's `redact`: what is about a person, or a key, wherever it stands to a depth of three. */
export const REDACTED_PATHS: readonly string[] = [
  ...NEVER_LOGGED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  "req.headers.authorization",
  'req.headers["signature"]',
  // The database's errors tell the row that failed, and its parameters.
  "err.detail",
  "err.where",
  "err.parameters",
  "err.internalQuery",
];
