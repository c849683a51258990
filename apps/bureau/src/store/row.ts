import type { SQLOutputValue } from "node:sqlite";
import { BureauError } from "../bureau-error.ts";

/** What SQLite gives: trusted by nobody before a column was read as what it must be. */
export type Row = Record<string, SQLOutputValue>;

export function optional<T>(row: Row | undefined, convert: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : convert(row);
}

export function required(row: Row | undefined, what: string): Row {
  if (row === undefined) throw new BureauError("damaged", `The store has no such ${what}`);
  return row;
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new BureauError("damaged", `${column} in the store is no text`);
  return value;
}

export function maybeText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new BureauError("damaged", `${column} in the store is no number`);
  return value;
}
