/**
 * Fifth migration: the release state can be rebuilt from the log. What is rebuilt has no request of the bureau's, which is
 * not in the log; a job of which the log alone knows has neither order, card nor person here.
 */
export const migration0005 = `
alter table job
  alter column order_id drop not null,
  alter column card_id drop not null,
  alter column person_id drop not null,
  -- as the entries of such a job name them
  add column logged_order uuid,
  add column logged_agreement bytea;
alter table job add constraint job_known check (
  (order_id is null) = (card_id is null) and (order_id is null) = (person_id is null)
  and (order_id is null or (logged_order is null and logged_agreement is null))
  -- nothing is ever released of what the database does not know
  and (order_id is not null or (wrapped is null and state in ('released', 'produced', 'spoiled', 'cancelled')))
);

alter table release alter column request drop not null, alter column line drop not null;
-- only what is decided may lack the request by which it is decided
alter table release add constraint release_request check (request is not null or state in ('released', 'cancelled'));
alter table receipt alter column request drop not null;
alter table attempt_approval alter column approved_by drop not null;

-- entries that came back and cannot be opened: each a possible exposure
create table unopened_entry (
  operation_id bytea primary key,
  idx bigint not null,
  -- null where nobody knows
  recipient text,
  at timestamptz,
  released boolean not null
);

-- what the desk found and rebuilt after a restore; its row is written with what it rebuilt
create table restore_rebuild (
  restore_id bigint primary key,
  rebuilt_at timestamptz not null,
  report text not null
);
`;
