import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { chainStart } from "@tipstaff/release-protocol";
import { BureauError, isDiskFull } from "../bureau-error.ts";

const SCHEMA = `
  create table meta (key text primary key, value text not null) strict;
  create table orders (
    id text primary key, digest text not null, agreement text not null, force text not null, file text not null,
    data_offset integer not null, expires_at text not null, fetched_at text not null
  ) strict;
  create table jobs (
    job text primary key, order_id text not null references orders (id), state text not null, code text,
    attempts integer not null default 0, line text,
    offset integer not null, length integer not null, digest text not null, template_digest text not null,
    categories text not null
  ) strict;
  create index jobs_order on jobs (order_id);
  create index jobs_line on jobs (line, state) where line is not null;
  create index jobs_state on jobs (state);
  create table lines (line text primary key, chain text not null, flight text, stopped text) strict;
  create table intents (
    job text not null references jobs (job), attempt integer not null, line text not null, blank text not null unique,
    device_job text not null, at text not null, result text, reason text, resolved text, decided_at text,
    primary key (job, attempt)
  ) strict;
  create table receipts (
    job text primary key references jobs (job), line text not null, body text not null, state text not null, at text not null
  ) strict;
  create index receipts_waiting on receipts (line) where state = 'waiting';
  create table alarms (
    id integer primary key, at text not null, kind text not null, line text, job text
  ) strict;
`;
/** So that a status counts without reading the jobs themselves. */
const COUNTS = "create index if not exists jobs_state_code on jobs (state, code)";
const VERSION = "1";
/** A bureau that is ending may have the store for a moment yet. */
const LOCK_PATIENCE_MS = 5000;
/** Of SQLite's result codes; `error` is what a missing table is told as. */
const SQLITE = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 } as const;
const PRIMARY_CODE = 0xff;

/** Makes an empty store; throws `exists` where one is. */
export function createStore(file: string, options: { recipient: string; lines: readonly string[] }): void {
  if (existsSync(file)) throw new BureauError("exists", `${file} exists already`);
  // SQLite gives its journals the rights of the file that it finds.
  writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  const database = open(file);
  database.exec("begin");
  database.exec(SCHEMA);
  const meta = database.prepare("insert into meta values (?, ?)");
  meta.run("version", VERSION);
  meta.run("blanks", "0");
  const insert = database.prepare("insert into lines (line, chain) values (?, ?)");
  for (const line of options.lines) {
    insert.run(line, Buffer.from(chainStart(options.recipient, line)).toString("hex"));
  }
  database.exec("commit");
  database.close();
}

/**
 * Opens an existing store for this process alone; never makes one, since a lost store means lost intents. Throws
 * `not-initialised`, `damaged`, or `exists` where another bureau runs on it.
 */
export function openStore(file: string): DatabaseSync {
  if (!existsSync(file)) {
    throw new BureauError("not-initialised", `${file} is gone. Restore it; without it, what was printed is not known`);
  }
  const database = open(file);
  try {
    assertWhole(database, file);
    database.exec(COUNTS);
  } catch (cause) {
    database.close();
    throw toBureauError(file, cause);
  }
  return database;
}

function assertWhole(database: DatabaseSync, file: string): void {
  const check = database.prepare("pragma quick_check(1)").get();
  if (check?.quick_check !== "ok") throw damaged(file, "its pages do not fit together");
  const row = database.prepare("select value from meta where key = 'version'").get();
  if (row?.value !== VERSION) throw new BureauError("damaged", `${file} is of another version`);
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: LOCK_PATIENCE_MS, enableForeignKeyConstraints: true });
  try {
    // Exclusive: a second bureau on the same lines would take every card under way for one that nobody works on.
    database.exec("pragma locking_mode = exclusive; pragma journal_mode = wal");
    // Intents must survive a power cut: each commit is synced (docs/adr/0002).
    database.exec("pragma synchronous = full; pragma secure_delete = on; begin immediate; commit");
  } catch (cause) {
    database.close();
    throw toBureauError(file, cause);
  }
  return database;
}

/** The system's words in ours; what is neither damage nor a lock passes as it is. */
function toBureauError(file: string, cause: unknown): unknown {
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & PRIMARY_CODE : undefined;
  if (code === SQLITE.busy) {
    return new BureauError("exists", `Another process works on ${file}. End it first`, { cause });
  }
  if (isDiskFull(cause)) return new BureauError("disk-full", `${file} cannot be written: the disk is full`, { cause });
  const isDamage = code === SQLITE.error || code === SQLITE.corrupt || code === SQLITE.notADatabase;
  return isDamage && cause instanceof Error ? damaged(file, cause.message, cause) : cause;
}

function damaged(file: string, why: string, cause?: Error): BureauError {
  const words = `${file} is damaged (${why}). Keep it, and put the newest copy in its place`;
  return new BureauError("damaged", words, { cause });
}
