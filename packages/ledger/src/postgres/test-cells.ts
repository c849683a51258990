/** Helpers of the crash and rollback matrix. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestEntry, testEntry } from "../test-entries.ts";
import { verifyLog } from "../verify-log.ts";
import { fsckLog, type SequencerOptions } from "./index.ts";
import { createTestSigner, type TestLog, testOrigin, testVerifierKeys } from "./test-log.ts";

export const entriesOf = (name: string, count: number): TestEntry[] =>
  Array.from({ length: count }, (_, n) => testEntry(`${name} ${n}`));

export const signerFile = (log: Pick<TestLog, "folders">): string => join(log.folders.tiles, "../signer.json");

/** Appends, and waits until all of them are logged by a sequencer of its own. */
export const logAll = async (
  log: Pick<TestLog, "sequencer" | "append" | "folders">,
  entries: readonly TestEntry[],
  { appended = false, ...more }: Partial<SequencerOptions> & { appended?: boolean } = {},
): Promise<void> => {
  const sequencer = log.sequencer({ sign: createTestSigner(signerFile(log)), ...more });
  if (!appended) await log.append(entries);
  sequencer.start();
  try {
    await sequencer.waitLogged(
      entries.map(({ operationId }) => operationId),
      { timeoutMs: 30_000 },
    );
  } finally {
    await sequencer.stop();
  }
};

export const verify = ({ tiles, openings }: TestLog) =>
  verifyLog({ tiles, openings, verifierKeys: testVerifierKeys, origin: testOrigin });

export const fsck = ({ pool, tiles, openings }: TestLog) =>
  fsckLog({ pool, tiles, openings, verifierKeys: testVerifierKeys, origin: testOrigin });

/** Runs a leader in a process of its own, that does to itself what the cell says. */
export const startCell = (log: TestLog, cell: object) => {
  const { host, port, user, password, database } = log.pool.options;
  const settings = {
    database: { host, port, user, password, database },
    ...log.folders,
    signer: signerFile(log),
    ...cell,
  };
  const script = new URL("./test-cell-leader.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      said += text;
    });
  }
  return { child, said: () => said, ended: once(child, "exit") };
};

const TABLES = ["intake", "waiting", "entry", "head", "restore"];

/** What a backup of the database holds, and how it comes back: what was written since is gone. */
export const backUpDatabase = async ({ pool }: TestLog): Promise<() => Promise<void>> => {
  await pool.query("drop schema if exists backup cascade; create schema backup");
  for (const table of TABLES) await pool.query(`create table backup.${table} as select * from ledger.${table}`);
  return async () => {
    for (const table of TABLES) {
      await pool.query(
        `delete from ledger.${table}; insert into ledger.${table} overriding system value select * from backup.${table}`,
      );
    }
    await pool.query("select setval('ledger.intake_seq_seq', (select coalesce(max(seq), 1) from ledger.intake))");
  };
};

/** The same of both folders. */
export const copyFolders = async ({ folders }: TestLog): Promise<() => Promise<void>> => {
  const all = [folders.tiles, folders.openings];
  for (const folder of all) {
    await rm(`${folder}.copy`, { recursive: true, force: true });
    await cp(folder, `${folder}.copy`, { recursive: true });
  }
  return async () => {
    for (const folder of all) {
      if (existsSync(folder)) await rm(folder, { recursive: true });
      await rename(`${folder}.copy`, folder);
    }
  };
};

/** A whole number below `limit`, the same for the same name at every run. */
export const seeded = (name: string, limit: number): number =>
  createHash("sha256").update(name).digest().readUInt32BE(0) % limit;
