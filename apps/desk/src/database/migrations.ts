import type { Pool } from "pg";
import { migration0001 } from "./migration-0001.ts";
import { migration0002 } from "./migration-0002.ts";
import { migration0003 } from "./migration-0003.ts";
import { migration0004 } from "./migration-0004.ts";
import { migration0005 } from "./migration-0005.ts";
import { migration0006 } from "./migration-0006.ts";

/** Numbered migrations; never edited once landed. */
const MIGRATIONS: readonly string[] = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
  migration0006,
];
const LOCK = 7_304_001;

/** Brings the desk's schema up to date; safe to call from several processes at once. */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    await client.query("create table if not exists migration (number int primary key, at timestamptz default now())");
    const { rows } = await client.query<{ latest: number }>("select coalesce(max(number), 0) as latest from migration");
    const latest = rows[0]?.latest ?? 0;
    for (const [position, statements] of MIGRATIONS.entries()) {
      if (position + 1 <= latest) continue;
      await client.query("begin");
      await client.query(statements);
      await client.query("insert into migration (number) values ($1)", [position + 1]);
      await client.query("commit");
    }
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    await client.query("select pg_advisory_unlock($1)", [LOCK]).catch(() => undefined);
    client.release();
  }
}
