import type { Pool } from "pg";

/** In order, never edited once landed. */
const migrations: readonly string[] = [
  `
  create table ledger.intake (
    seq bigint generated always as identity primary key,
    operation_id bytea not null unique check (octet_length(operation_id) = 32),
    request_digest bytea not null check (octet_length(request_digest) = 32),
    leaf bytea not null check (octet_length(leaf) = 481),
    openings bytea not null
  );
  alter table ledger.intake alter column openings set storage external;

  create table ledger.waiting (
    seq bigint primary key
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

  create table ledger.entry (
    idx bigint primary key,
    seq bigint not null unique
  );

  create table ledger.head (
    only_one boolean primary key default true check (only_one),
    origin text not null,
    epoch bigint not null,
    size bigint not null,
    root bytea not null,
    published_size bigint not null,
    published_root bytea not null,
    check (published_size <= size)
  );
  `,
  `
  create table ledger.restore (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    from_size bigint not null,
    to_size bigint not null,
    settled_at timestamptz,
    check (from_size < to_size)
  );
  `,
];

const LOCK = "select pg_advisory_xact_lock(hashtextextended('tipstaff/ledger/migrations', 0))";

/** Brings the schema `ledger` of this database up to date; safe to call from several processes at once. */
export const migrateLedger = async (pool: Pool): Promise<void> => {
  const client = await pool.connect();
  // A session that is cut tells its query as well; without a listener it would end the process.
  const ignore = (): void => undefined;
  client.on("error", ignore);
  try {
    await client.query("begin");
    await client.query(LOCK);
    await client.query("create schema if not exists ledger");
    await client.query(
      "create table if not exists ledger.migration (version int primary key, at timestamptz not null default now())",
    );
    const done = await client.query<{ version: number }>(
      "select coalesce(max(version), 0) as version from ledger.migration",
    );
    const version = done.rows[0]?.version ?? 0;
    for (const [at, sql] of migrations.entries()) {
      if (at < version) continue;
      await client.query(sql);
      await client.query("insert into ledger.migration (version) values ($1)", [at + 1]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.off("error", ignore);
    client.release();
  }
};
