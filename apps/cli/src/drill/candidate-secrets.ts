import { DatabaseSync } from "node:sqlite";
import { base64Runs } from "./coded-runs.ts";
import { filesBelow } from "./files-below.ts";
import { createSecretSet, KEY_BYTES, type Secrets } from "./secret-set.ts";
import { windowBuffer, windowsOf } from "./windows.ts";

/** Key files are small: in those, every 32 bytes in a row are tried. */
const SMALL_FILE_BYTES = 16 << 10;
const MOST_CANDIDATES = 500_000;
/** 32 bytes in base64; in hex they are longer. */
const SHORTEST_RUN = 43;
const SQLITE_MARK = "SQLite format 3\0";

/** Everything on these disks that could be a 256-bit key: in key files, in text, in the cells of databases. */
export function candidateSecrets(folders: readonly string[]): Secrets {
  const found = createSecretSet(MOST_CANDIDATES);
  const { add, isFull } = found;
  const buffer = windowBuffer();
  for (const file of folders.flatMap(filesBelow)) {
    if (isFull()) break;
    let head: Buffer | undefined;
    for (const window of windowsOf(file, buffer)) {
      if (isFull()) break;
      head ??= Buffer.from(window.subarray(0, SQLITE_MARK.length));
      if (window.length <= SMALL_FILE_BYTES) addWindows(window, add);
      addRuns(window, add);
    }
    if (head?.toString("latin1") === SQLITE_MARK) addCells(file, add);
  }
  return found;
}

function addWindows(bytes: Buffer, add: (bytes: Buffer) => void): void {
  for (let at = 0; at + KEY_BYTES <= bytes.length; at += 1) add(bytes.subarray(at, at + KEY_BYTES));
}

function addRuns(bytes: Buffer, add: (bytes: Buffer) => void): void {
  for (const { from, to } of base64Runs(bytes, { from: 0, to: bytes.length }, SHORTEST_RUN)) {
    const run = bytes.toString("latin1", from, to);
    if (/^[0-9a-f]{64}$/.test(run)) add(Buffer.from(run, "hex"));
    const decoded = Buffer.from(run, "base64url");
    if (decoded.length >= KEY_BYTES) add(decoded.subarray(0, KEY_BYTES));
    if (decoded.length > KEY_BYTES) add(decoded.subarray(-KEY_BYTES));
  }
}

function addCells(file: string, add: (bytes: Buffer) => void): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    for (const { name } of tables) {
      for (const row of database.prepare(`select * from "${String(name).replaceAll('"', '""')}"`).iterate()) {
        for (const cell of Object.values(row)) {
          if (cell instanceof Uint8Array && cell.length >= KEY_BYTES && cell.length <= 128)
            addWindows(Buffer.from(cell), add);
          if (typeof cell === "string") addRuns(Buffer.from(cell), add);
        }
      }
    }
  } finally {
    database.close();
  }
}
