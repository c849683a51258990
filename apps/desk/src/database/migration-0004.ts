/** Fourth migration: the censuses that were taken. Their leaves lie beside the openings, under the root's name. */
export const migration0004 = `
create table census (
  seq int primary key check (seq > 0),
  root bytea not null check (octet_length(root) = 32),
  operation_id bytea not null unique,
  taken_at timestamptz not null
);
`;
