import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LedgerError } from "../error.ts";
import type { CosignatureAlgorithm } from "../formats/cosigner-key.ts";
import type { WitnessedHead } from "./decide-cosign.ts";

/** A witness's name and key, and the head of each log that it cosigned, in one file: neither is ever there without the other. */
export type WitnessStore = {
  readonly name: string;
  readonly seed: Uint8Array;
  readonly algorithm: CosignatureAlgorithm;
  /** Reads the head and stores what `decide` answers as the next, at once and durably, before it returns. */
  readonly advance: <T>(
    origin: string,
    decide: (head: WitnessedHead | undefined) => { readonly next?: WitnessedHead; readonly value: T },
  ) => T;
  readonly close: () => void;
};

const FILE = "witness.db";
const SCHEMA = `
  create table identity (name text not null, algorithm text not null, seed blob not null);
  create table head (origin text primary key, size text not null, root blob not null) without rowid;
  pragma user_version = 1`;

/** Whether a witness was made in this folder. */
export const hasWitnessStore = (folder: string): boolean => existsSync(join(folder, FILE));

/** Makes a new witness in a folder that is missing or empty; throws `witness-missing` for any other. */
export const createWitnessStore = (
  folder: string,
  identity: { name: string; seed: Uint8Array; algorithm: CosignatureAlgorithm },
): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0)
    throw missing(`${folder} is not empty, and holds no witness; name another folder`);
  const draft = join(folder, `${FILE}.new`);
  const db = new DatabaseSync(draft);
  chmodSync(draft, 0o600);
  const { name, algorithm, seed } = identity;
  db.exec(`pragma synchronous = full; begin; ${SCHEMA}`);
  db.prepare("insert into identity (name, algorithm, seed) values (?, ?, ?)").run(name, algorithm, seed);
  db.exec("commit");
  db.close();
  renameSync(draft, join(folder, FILE));
};

/**
 * Opens a witness that was made before; throws `witness-missing` where there is none. One that forgot what it cosigned could be
 * made to cosign another history, so none is ever made silently in its place.
 */
export const openWitnessStore = (folder: string): WitnessStore => {
  if (!hasWitnessStore(folder))
    throw missing(`there is no witness in ${folder}; restore it, or make a new one with a new name`);
  const db = openDatabase(join(folder, FILE));
  const identity = readIdentity(db);
  const read = db.prepare("select size, root from head where origin = ?");
  const write = db.prepare(
    "insert into head (origin, size, root) values (?, ?, ?) on conflict do update set size = ?2, root = ?3",
  );
  const readHead = (origin: string): WitnessedHead | undefined => {
    const row = read.get(origin);
    if (row === undefined) return undefined;
    if (typeof row.size !== "string" || !(row.root instanceof Uint8Array)) throw damaged();
    return { size: BigInt(row.size), root: row.root };
  };
  return {
    ...identity,
    advance: (origin, decide) => {
      db.exec("begin immediate");
      try {
        const { next, value } = decide(readHead(origin));
        if (next) write.run(origin, String(next.size), next.root);
        db.exec("commit");
        return value;
      } catch (error) {
        if (db.isTransaction) db.exec("rollback");
        throw error;
      }
    },
    close: () => db.close(),
  };
};

const openDatabase = (file: string): DatabaseSync => {
  const db = new DatabaseSync(file);
  try {
    // Exclusive: two processes with one key and two memories would cosign two histories.
    db.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("begin immediate; commit");
    return db;
  } catch (cause) {
    db.close();
    throw new LedgerError("storage-failed", "the witness's store cannot be opened: damaged, or in use", { cause });
  }
};

const readIdentity = (db: DatabaseSync): Pick<WitnessStore, "name" | "seed" | "algorithm"> => {
  const row = db.prepare("select name, algorithm, seed from identity").get();
  const { name, algorithm, seed } = row ?? {};
  if (typeof name !== "string" || !(seed instanceof Uint8Array)) throw damaged();
  if (algorithm !== "ed25519" && algorithm !== "ml-dsa-44") throw damaged();
  return { name, algorithm, seed };
};

const missing = (why: string): LedgerError => new LedgerError("witness-missing", `witness: ${why}`);
const damaged = (): LedgerError => new LedgerError("storage-failed", "the witness's store is damaged; restore it");
