/**
 * First migration: people, requests, cards, orders, jobs, runs, releases, holds.
 * Nothing in these tables names a person in clear: what is about people is sealed, or is a random id.
 */
export const migration0001 = `
create table installation (
  single boolean primary key default true check (single),
  force text not null,
  origin text not null,
  log_verifier_key text not null,
  force_verifier_key text not null,
  made_at timestamptz not null default now()
);

create table staff (
  id uuid primary key,
  login text not null unique,
  roles text[] not null,
  token_digest bytea not null,
  person_id uuid,
  created_at timestamptz not null default now()
);

create table import (
  id uuid primary key,
  state text not null check (state in ('running', 'done', 'abandoned')),
  file_digest bytea,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  report jsonb,
  -- the keyholder was told to keep (done) or drop (abandoned) the roots made for it
  roots_settled boolean not null default false
);

create table person (
  id uuid primary key,
  presence text not null default 'present' check (presence in ('present', 'possible-leaver', 'erased')),
  dek_version int not null default 1,
  record_version int not null default 1,
  details bytea,
  portrait bytea,
  portrait_version int not null default 0,
  fingerprint bytea,
  portrait_fingerprint bytea,
  warrant_index bytea,
  pay_index bytea,
  tag_n bigint not null default 0,
  import_id uuid not null references import(id),
  seen_import_id uuid not null references import(id),
  -- an erased person's root is gone at the keyholder too
  root_erased_at timestamptz
);
-- ciphertext does not compress
alter table person alter column portrait set storage external;
create unique index person_warrant on person (warrant_index);
create unique index person_pay on person (pay_index);

create table agreement (
  digest bytea primary key,
  id text not null,
  version int not null,
  recipient text not null,
  bytes bytea not null,
  signatures text not null,
  activated_by uuid not null,
  seconded_by uuid,
  activated_at timestamptz not null,
  superseded_at timestamptz
);

create table agreement_proposal (
  digest bytea primary key,
  recipient text not null,
  bytes bytea not null,
  signatures text not null,
  proposed_by uuid not null references staff(id),
  proposed_at timestamptz not null
);

create table request (
  id uuid primary key,
  person_id uuid not null references person(id),
  kind text not null,
  state text not null,
  route text not null check (route in ('bureau', 'in-house')),
  requested_by uuid not null references staff(id),
  requested_at timestamptz not null default now(),
  decided_by uuid references staff(id),
  decided_at timestamptz,
  replaces_card uuid
);
create index request_state on request (state, route);
create index request_person on request (person_id);
create unique index request_once on request (person_id, kind) where state in ('requested', 'approved');

create table card (
  id uuid primary key,
  number text not null unique,
  person_id uuid not null references person(id),
  request_id uuid not null references request(id),
  kind text not null,
  validity text not null,
  custody text not null,
  blank text,
  expires_on date not null,
  replaces_card uuid references card(id),
  revoked_reason text,
  made_at timestamptz not null default now()
);
create index card_person on card (person_id);
create index card_request on card (request_id);
create index card_blank on card (blank);

create table card_event (
  id bigint generated always as identity primary key,
  card_id uuid not null references card(id),
  at timestamptz not null default now(),
  actor uuid not null,
  what text not null,
  validity text not null,
  custody text not null
);

create table "order" (
  id uuid primary key,
  recipient text not null,
  agreement_digest bytea not null references agreement(digest),
  state text not null check (state in ('sealing', 'sealed', 'expired')),
  created_by uuid not null references staff(id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  jobs int not null default 0,
  file_digest bytea,
  file_name text
);

create table job (
  id uuid primary key,
  order_id uuid not null references "order"(id),
  recipient text not null,
  card_id uuid not null references card(id),
  person_id uuid not null references person(id),
  record_version int not null,
  state text not null,
  attempt int not null default 0,
  context bytea not null,
  wrapped bytea,
  line text,
  released_at timestamptz,
  receipt_at timestamptz,
  scanned_at timestamptz,
  result text,
  blank text,
  release_operation bytea
);
create index job_order on job (order_id, state);
create index job_person on job (person_id) where state in ('sealed', 'reserved', 'logged');
create index job_card on job (card_id);
create index job_recipient_released on job (recipient, released_at) where released_at is not null;
create index job_unfinished on job (state) where state in ('reserved', 'logged', 'released', 'uncertain');

create table run (
  id uuid primary key,
  recipient text not null,
  order_id uuid not null references "order"(id),
  state text not null check (state in ('open', 'closed')),
  opened_by uuid not null references staff(id),
  opened_at timestamptz not null,
  until timestamptz not null,
  closed_at timestamptz,
  jobs int not null
);
create table run_job (
  run_id uuid not null references run(id),
  job_id uuid not null references job(id),
  primary key (run_id, job_id)
);
create index run_job_job on run_job (job_id);

create table recipient_state (
  recipient text primary key,
  tokens double precision not null,
  tokens_at timestamptz not null,
  unaccounted int not null default 0
);
create table line (
  recipient text not null,
  line text not null,
  chain bytea not null,
  open int not null default 0,
  primary key (recipient, line)
);

create table release (
  operation_id bytea primary key,
  job_id uuid not null references job(id),
  attempt int not null,
  recipient text not null,
  line text not null,
  identity bytea not null unique,
  request jsonb not null,
  state text not null check (state in ('reserved', 'logged', 'released', 'cancelled')),
  leaf_hash bytea not null,
  outcome jsonb,
  reserved_at timestamptz not null,
  decided_at timestamptz
);
create index release_job on release (job_id, attempt);
create index release_undecided on release (state) where state in ('reserved', 'logged');

create table receipt (
  job_id uuid primary key references job(id),
  attempt int not null,
  digest bytea not null,
  request jsonb not null,
  operation_id bytea not null,
  received_at timestamptz not null,
  counted boolean not null default false
);
create index receipt_uncounted on receipt (job_id) where not counted;

create table hold (
  id uuid primary key,
  recipient text not null,
  reason text not null,
  detail jsonb not null default '{}',
  placed_by uuid,
  placed_at timestamptz not null,
  told_at timestamptz,
  lift_asked_by uuid,
  lift_asked_at timestamptz,
  lifted_by uuid,
  lifted_at timestamptz
);
create unique index hold_once on hold (recipient, reason, (coalesce(detail->>'job', ''))) where lifted_at is null;

create table attempt_approval (
  job_id uuid not null references job(id),
  attempt int not null,
  approved_by uuid not null references staff(id),
  approved_at timestamptz not null,
  primary key (job_id, attempt)
);

create table nonce (
  keyid text not null,
  nonce text not null,
  expires_at timestamptz not null,
  primary key (keyid, nonce)
);
create index nonce_expiry on nonce (expires_at);

create table journal_head (
  size bigint primary key,
  head bytea not null,
  at timestamptz not null
);

create table accounted_queue (
  job_id uuid primary key references job(id),
  actor uuid not null,
  at timestamptz not null
);
`;
