/** Third migration: a stopped line comes back by the consent of two people. */
export const migration0003 = `
create table line_restart (
  id uuid primary key,
  recipient text not null,
  line text not null,
  -- the line's chain value by this restart
  chain bytea not null,
  asked_by uuid not null references staff(id),
  asked_at timestamptz not null,
  confirmed_by uuid references staff(id),
  confirmed_at timestamptz,
  foreign key (recipient, line) references line (recipient, line)
);
create unique index line_restart_asked on line_restart (recipient, line) where confirmed_at is null;
create index line_restart_chain on line_restart (recipient, line, chain);
`;
