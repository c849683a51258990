/** Written into the store's `user_version`; another number is another keyholder's store. */
export const STORE_VERSION = 3;

export const storeSchema = `
create table setting (name text primary key, value text not null) without rowid;

create table secret (name text primary key, wrapped blob not null) without rowid;

create table root (
  person text primary key,
  wrapped blob not null,
  batch text not null,
  confirmed integer not null default 0,
  made_at integer not null
) without rowid;
create index root_unconfirmed on root (batch) where confirmed = 0;

create table recipient_key (recipient text primary key, verifier_key text not null) without rowid;

create table agreement (
  digest text primary key,
  id text not null,
  version integer not null,
  recipient text not null,
  bytes blob not null,
  signatures text not null,
  pinned_at text not null,
  superseded integer not null default 0
) without rowid;

create table checkpoint (size integer primary key, root blob not null);

-- exactly one outcome per leaf, for ever
create table outcome (
  leaf_hash text primary key,
  identity text not null,
  job text not null,
  attempt integer not null,
  outcome text not null check (outcome in ('released', 'cancelled')),
  body text not null
) without rowid;
create index outcome_identity on outcome (identity);

-- a job that was released at least once, with what counts against its agreement's limits
create table job (
  job text primary key,
  recipient text not null,
  order_id text not null,
  line text not null,
  releases integer not null,
  last_attempt integer not null,
  receipt text,
  accounted integer not null default 0
) without rowid;
create index job_open on job (recipient, line) where receipt is null;

-- every line to which something was ever released
create table line (recipient text, line text, primary key (recipient, line)) without rowid;

create table counter (
  recipient text primary key,
  tokens real not null,
  tokens_at integer not null,
  unaccounted integer not null
) without rowid;

create table approval (job text, attempt integer, actor text not null, primary key (job, attempt)) without rowid;

create table hold (
  hold text primary key,
  recipient text not null,
  reason text not null,
  lifted integer not null default 0
) without rowid;
create index hold_open on hold (recipient) where lifted = 0;

create table budget (day text primary key, raised integer not null, used integer not null) without rowid;

create table journal (
  seq integer primary key,
  at text not null,
  what text not null,
  detail text not null,
  persons blob,
  hash blob not null
);
`;
