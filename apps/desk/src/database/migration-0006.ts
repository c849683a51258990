/** Sixth migration: a disclosure that came back from the log names nobody who declared it; its entries do. */
export const migration0006 = `
alter table disclosure alter column declared_by drop not null;
`;
