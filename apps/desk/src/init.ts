import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { parseVerifierKey } from "@tipstaff/ledger";
import { migrateLedger } from "@tipstaff/ledger/postgres";
import type { KeyholderClient } from "@tipstaff/release-protocol/node";
import type { Pool } from "pg";
import { isRole, ROLES } from "./access/roles.ts";
import { makeToken } from "./access/tokens.ts";
import type { Config } from "./config.ts";
import { migrate } from "./database/migrations.ts";
import { createReplyKey } from "./reply-key.ts";
import { DeskError } from "./server/desk-error.ts";

export type StaffAccount = { login: string; roles: readonly string[] };

/** `login:role,role…` as the command line gives it. */
export function parseStaff(text: string): StaffAccount {
  const match = /^([a-z0-9][a-z0-9.-]{0,63}):([a-z-]+(?:,[a-z-]+)*)$/.exec(text);
  const [login, roles] = [match?.[1], match?.[2]?.split(",")];
  if (login === undefined || roles === undefined || !roles.every(isRole)) {
    throw new DeskError("bad-arguments", `--staff is login:role,role with roles of ${ROLES.join(", ")}`);
  }
  return { login, roles };
}

/**
 * Makes a new desk: schema, log, staff, reply key. Refuses where one exists, and never runs by itself: a register whose
 * keys are gone must not be replaced by an empty one.
 */
export async function initDesk(
  given: { pool: Pool; keyholder: KeyholderClient; config: Config },
  staff: readonly StaffAccount[],
) {
  const { pool, keyholder, config } = given;
  const status = await keyholder.call("status", {});
  if (status.force !== config.force) {
    throw new DeskError("wrong-keyholder", `The keyholder is that of another force than ${config.force}`);
  }
  await migrate(pool);
  await migrateLedger(pool);
  const made = await pool.query(
    `insert into installation (force, origin, log_verifier_key, force_verifier_key) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [config.force, parseVerifierKey(status.logVerifierKey).name, status.logVerifierKey, status.forceVerifierKey],
  );
  if (made.rowCount === 0) throw new DeskError("already-initialised", "This database holds a desk already");
  const { data, tiles, openings, orders, reports } = config.folders;
  for (const folder of [data, openings, orders]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const folder of [tiles, reports]) mkdirSync(folder, { recursive: true });
  const replyKey = createReplyKey(config.replyKeyFile);
  const tokens = await addStaff({ pool, keyholder }, staff);
  return { tokens, replyKey: { id: replyKey.keyid, publicKey: replyKey.publicKey } };
}

/** New accounts with their roots at the keyholder; answers each login's token, which is kept nowhere. */
export async function addStaff(
  { pool, keyholder }: { pool: Pool; keyholder: KeyholderClient },
  staff: readonly StaffAccount[],
): Promise<Record<string, string>> {
  if (staff.length === 0) return {};
  const accounts = staff.map((account) => ({ ...account, id: randomUUID(), ...makeToken() }));
  const batchId = `staff-${randomUUID()}`;
  await keyholder.call("roots/create", { batchId, persons: accounts.map(({ id }) => id) });
  const client = await pool.connect();
  try {
    await client.query("begin");
    for (const { id, login, roles, digest } of accounts) {
      await client.query("insert into staff (id, login, roles, token_digest) values ($1, $2, $3, $4)", [
        id,
        login,
        roles,
        digest,
      ]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    await keyholder.call("roots/abandon", { batchId });
    throw error;
  } finally {
    client.release();
  }
  await keyholder.call("roots/confirm", { batchId });
  return Object.fromEntries(accounts.map(({ login, token }) => [login, token]));
}
