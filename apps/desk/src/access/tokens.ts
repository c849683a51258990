import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Pool } from "pg";
import { type Actor, isRole } from "./roles.ts";

const TOKEN_BYTES = 32;
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;

/** A new bearer token. It is shown once; only its digest is kept. */
export function makeToken(): { token: string; digest: Buffer } {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return { token, digest: digestOf(token) };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update("tipstaff/token/v1").update(token).digest();
}

/** Whose token is it? Undefined when nobody's. */
export async function findActor(pool: Pool, authorization: string | undefined): Promise<Actor | undefined> {
  const token = authorization?.startsWith("Bearer ") ? authorization.slice(7) : "";
  if (!TOKEN_FORM.test(token)) return undefined;
  const digest = digestOf(token);
  const { rows } = await pool.query<{ id: string; roles: string[]; person_id: string | null; token_digest: Buffer }>(
    "select id, roles, person_id, token_digest from staff where token_digest = $1",
    [digest],
  );
  const found = rows[0];
  if (found === undefined || !timingSafeEqual(found.token_digest, digest)) return undefined;
  return { id: found.id, roles: found.roles.filter(isRole), personId: found.person_id };
}
