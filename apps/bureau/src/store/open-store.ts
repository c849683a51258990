import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { chainStart } from "@tipstaff/release-protocol";
import { BureauError } from "../bureau-error.ts";

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

/** Opens an existing store; never makes one, since a lost store means lost intents. */
export function openStore(file: string): DatabaseSync {
  if (!existsSync(file)) {
    throw new BureauError("not-initialised", `${file} is gone. Restore it; without it, what was printed is not known`);
  }
  const database = open(file);
  const row = database.prepare("select value from meta where key = 'version'").get();
  if (row?.value !== VERSION) throw new BureauError("damaged", `${file} is of another version`);
  database.exec(COUNTS);
  return database;
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
  // Intents must survive a power cut: each commit is synced (docs/adr/0002).
  database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on");
  return database;
}
