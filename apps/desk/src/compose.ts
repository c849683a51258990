import { readFileSync, statSync } from "node:fs";
import { createWitnessClient, LedgerError, parsePolicy, parseVerifierKey, type VerifierKey } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { createSequencer } from "@tipstaff/ledger/postgres";
import { createCheckpointSigner, createKeyholderClient, type KeyholderClient } from "@tipstaff/release-protocol/node";
import { Pool } from "pg";
import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";
import type { Desk } from "./desk.ts";
import { REDACTED_PATHS } from "./people/redaction.ts";
import { readReplyKey } from "./reply-key.ts";
import { DeskError } from "./server/desk-error.ts";

const POOL_SIZE = 24;

/** Makes the record of what the desk's rooms depend on. The sequencer is not started. */
export async function composeDesk(config: Config): Promise<{ desk: Desk; close: () => Promise<void> }> {
  const log = createLogger(config);
  const pool = createPool(config, log);
  const keyholder = createKeyholderClient({ socketPath: config.keyholderSocket });
  const close = async () => {
    keyholder.close();
    await pool.end();
  };
  try {
    const { forceVerifierKey, logVerifierKey } = await checkInstallation({ config, pool, keyholder });
    const logKey = parseVerifierKey(logVerifierKey);
    const origin = logKey.name;
    const { keyid, privateKey } = readReplyKey(config.replyKeyFile);
    const sequencer = createSequencer({
      pool,
      origin,
      tiles: createFolderStorage(config.folders.tiles),
      openings: createFolderStorage(config.folders.openings),
      verifierKeys: [logKey],
      log,
      ...createCheckpointSigner(keyholder, (words) => new LedgerError("signature-refused", words)),
      onError: (error) => log.error({ err: error }, "the ledger's sequencer"),
      ...openWitnesses(config, logKey),
    });
    const { force, publicUrl, recipients, folders } = config;
    const desk: Desk = {
      ...{ pool, keyholder, sequencer, log, force, origin, publicUrl, recipients, folders, forceVerifierKey },
      now: () => new Date(),
      replyKey: { keyid, privateKey },
    };
    return { desk, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The witnesses that the policy file names; none without one. */
function openWitnesses({ witnessPolicyFile }: Config, logKey: VerifierKey) {
  if (witnessPolicyFile === undefined) return {};
  try {
    const policy = parsePolicy(readFileSync(witnessPolicyFile));
    return { witnesses: createWitnessClient({ policy, log: { origin: logKey.name, keys: [logKey] } }) };
  } catch (cause) {
    const why = cause instanceof LedgerError ? cause.message : "it cannot be read";
    throw new DeskError("bad-config", `The witness policy ${witnessPolicyFile} is no good: ${why}`, { cause });
  }
}

export function createPool(config: Pick<Config, "databaseUrl">, log: Logger): Pool {
  // Pipelined: statements that do not wait for each other's rows travel together.
  const options = { connectionString: config.databaseUrl, max: POOL_SIZE, connectionTimeoutMillis: 10_000 };
  const pool = new Pool({ ...options, pipeline: true });
  // An idle connection that breaks is replaced at its next use; without this it would end the process.
  pool.on("error", (error) => log.warn({ err: error }, "an idle database connection broke"));
  // So would one that breaks between two statements of a transaction; the next statement tells whoever uses it.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

export function createLogger(config: Pick<Config, "logLevel">): Logger {
  const redact = { paths: [...REDACTED_PATHS], censor: "[redacted]" };
  return pino({ level: config.logLevel, base: { app: "desk" }, redact }, pino.destination({ fd: 2, sync: true }));
}

/** Refuses to run a register without its keys, or a log without its tree. */
async function checkInstallation(given: {
  config: Config;
  pool: Pool;
  keyholder: KeyholderClient;
}): Promise<{ forceVerifierKey: string; logVerifierKey: string }> {
  const { config, pool, keyholder } = given;
  const installed = await readInstallation(pool);
  if (installed === undefined) throw new DeskError("not-initialised", "This database holds no desk; run init");
  for (const folder of [config.folders.tiles, config.folders.openings, config.folders.orders]) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new DeskError("not-initialised", `The folder ${folder} is gone; restore it, a new one would fork the log`);
    }
  }
  if (installed.force !== config.force) {
    throw new DeskError("bad-config", "force differs from what this database was made for");
  }
  if (installed.origin !== parseVerifierKey(installed.logVerifierKey).name) {
    throw new DeskError(
      "bad-config",
      "This database's log has another origin than its key's name: no witness knows it",
    );
  }
  const status = await keyholder.call("status", {});
  if (status.logVerifierKey !== installed.logVerifierKey || status.forceVerifierKey !== installed.forceVerifierKey) {
    throw new DeskError("wrong-keyholder", "The keyholder does not hold this register's keys; start the right one");
  }
  return installed;
}

async function readInstallation(pool: Pool) {
  const { rows: tables } = await pool.query<{ there: boolean }>("select to_regclass('installation') is not null there");
  if (tables[0]?.there !== true) return undefined;
  const { rows } = await pool.query<{
    force: string;
    origin: string;
    logVerifierKey: string;
    forceVerifierKey: string;
  }>(
    `select force, origin, log_verifier_key "logVerifierKey", force_verifier_key "forceVerifierKey" from installation`,
  );
  return rows[0];
}
