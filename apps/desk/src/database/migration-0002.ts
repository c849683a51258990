/** Second migration: disclosures declared by hand, and further attempts that wait for a person. */
export const migration0002 = `
create table disclosure (
  id uuid primary key,
  -- SHA-256 of recipient, time and categories: the same terms are the same disclosure
  terms bytea not null unique,
  recipient text not null,
  from_at timestamptz not null,
  to_at timestamptz,
  categories text[] not null,
  reason text not null,
  declared_by uuid not null references staff(id),
  declared_at timestamptz not null
);
create index disclosure_recipient on disclosure (recipient, from_at);
create table disclosure_person (
  disclosure_id uuid not null references disclosure(id),
  person_id uuid not null references person(id),
  operation_id bytea not null,
  primary key (disclosure_id, person_id)
);

create table attempt_wanted (
  job_id uuid not null references job(id),
  attempt int not null,
  first_asked_at timestamptz not null,
  primary key (job_id, attempt)
);
`;
