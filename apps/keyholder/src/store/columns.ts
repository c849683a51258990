import type { SQLOutputValue } from "node:sqlite";

export type Row = Readonly<Record<string, SQLOutputValue>>;

const wrong = (column: string): Error =>
  new Error(`the store's column "${column}" holds another type than its schema's`);

export const textOf = (row: Row, column: string): string => {
  const value = row[column];
  if (typeof value !== "string") throw wrong(column);
  return value;
};

export const numberOf = (row: Row, column: string): number => {
  const value = row[column];
  if (typeof value !== "number") throw wrong(column);
  return value;
};

export const bytesOf = (row: Row, column: string): Uint8Array => {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(column);
  return value;
};
