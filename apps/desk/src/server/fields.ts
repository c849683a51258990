import { z } from "zod";

/** Fields that several routes ask for, each with what it says when something else comes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NAME_RULE = "1 to 64 letters, digits, dots, hyphens or underscores are required, the first a letter or digit";

/** Id of a recipient or a line. */
export const nameField = z.string(NAME_RULE).regex(NAME, NAME_RULE);

/** An instant with its offset from UTC, or a date, which is its first instant in UTC. */
export const instantField = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: "a date such as 2026-03-01, or an instant with its offset such as 2026-03-01T09:00:00Z, is required",
});
