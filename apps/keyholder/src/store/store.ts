import { existsSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { RefusedCall } from "../server/refused-call.ts";
import type { Row } from "./columns.ts";
import { STORE_VERSION, storeSchema } from "./schema.ts";

/** The keyholder's own database. One process at a time; what a transaction wrote is on the disk when it returns. */
export type Store = {
  readonly get: (sql: string, ...values: SQLInputValue[]) => Row | undefined;
  readonly all: (sql: string, ...values: SQLInputValue[]) => readonly Row[];
  /** Answers how many rows were changed. */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
  /** All of `work` or nothing; throws `unavailable` when it cannot be made durable. */
  readonly transaction: <T>(work: () => T) => T;
  /** Puts everything into the main file and empties the write-ahead log, so that deleted rows are gone from both. */
  readonly settle: () => void;
  readonly close: () => void;
};

/** Makes a new store and fills it in one transaction; throws where a file is. */
export function createStore(path: string, fill: (store: Store) => void): void {
  if (existsSync(path)) throw new Error("there is a store already");
  const db = openDatabase(path);
  const store = wrapDatabase(db);
  try {
    store.transaction(() => {
      db.exec(storeSchema);
      db.exec(`pragma user_version = ${STORE_VERSION}`);
      fill(store);
    });
  } finally {
    store.close();
  }
}

/** Opens a store that `createStore` made; never makes one: roots that are gone must not be replaced by none. */
export function openStore(path: string): Store {
  if (!existsSync(path))
    throw new Error("the store is missing: restore it from its copy, a new one cannot open anything");
  const db = openDatabase(path);
  const store = wrapDatabase(db);
  const version = store.get("pragma user_version")?.user_version;
  if (version !== STORE_VERSION) {
    store.close();
    throw new Error(
      `the store is of version ${String(version)}; this keyholder reads version ${STORE_VERSION}: serve it with the release that made it`,
    );
  }
  return store;
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // Exclusive: a second keyholder on the same store would sign a second history.
    db.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("pragma secure_delete = on; pragma foreign_keys = on; begin immediate; commit");
  } catch (cause) {
    db.close();
    throw new Error("the store cannot be opened: damaged, or another keyholder runs on it", { cause });
  }
  return db;
}

function wrapDatabase(db: DatabaseSync): Store {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    get: (sql, ...values) => prepare(sql).get(...values),
    all: (sql, ...values) => prepare(sql).all(...values),
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    transaction: (work) => inTransaction(db, work),
    settle: () => db.exec("pragma wal_checkpoint(truncate)"),
    close: () => db.close(),
  };
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  begin(db);
  let value: T;
  try {
    value = work();
  } catch (error) {
    db.exec("rollback");
    throw error;
  }
  try {
    db.exec("commit");
  } catch (cause) {
    if (db.isTransaction) db.exec("rollback");
    throw new RefusedCall("unavailable", "the store cannot be written; look at the disk", { cause });
  }
  return value;
}

function begin(db: DatabaseSync): void {
  try {
    db.exec("begin immediate");
  } catch (cause) {
    throw new RefusedCall("unavailable", "the store cannot be written; look at the disk", { cause });
  }
}
