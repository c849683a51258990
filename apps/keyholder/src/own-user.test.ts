import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FORCE } from "./test-scenario.ts";

/** Users and a group that every Debian has: keyholder, desk and somebody else. */
const [KEYHOLDER, DESK, STRANGER] = ["daemon", "games", "nobody"];
const GROUP = "games";

const idOf = (flag: string, name: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout || "-1");
const uids = new Map([KEYHOLDER, DESK, STRANGER].map((name) => [name, idOf("-u", name)]));
const gid = idOf("-g", GROUP);
const MAIN = join(import.meta.dirname, "main.ts");
const as = (name: string, group = gid) => ({ uid: uids.get(name) ?? -1, gid: group });

function whySkipped(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may start a process as another user";
  if ([...uids.values(), gid].some((id) => !(id > 0)))
    return `the users ${[...uids.keys()].join(", ")} are not all here`;
  // What that user cannot read it cannot run: a checkout below /root, for example.
  const reads = [process.execPath, MAIN].every((path) => spawnSync("test", ["-r", path], as(KEYHOLDER)).status === 0);
  return reads ? undefined : "the users cannot read this checkout";
}
const skipped = whySkipped();
if (skipped) process.stderr.write(`own-user.test.ts is skipped: ${skipped}\n`);

describe.skipIf(skipped !== undefined)("a keyholder under its own OS user", () => {
  let root = "";
  let end: () => Promise<void> = async () => {};
  const place = (...names: string[]) => join(root, ...names);

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "keyholder-user-"));
    chmodSync(root, 0o711);
    for (const [name, mode] of [
      ["keyholder", 0o700],
      ["run", 0o710],
    ] as const) {
      mkdirSync(place(name));
      chmodSync(place(name), mode);
      chownSync(place(name), as(KEYHOLDER).uid, gid);
    }
    const node = ["--disable-warning=ExperimentalWarning", MAIN];
    const folder = ["--folder", place("keyholder")];
    const made = spawnSync(
      process.execPath,
      [...node, "init", ...folder, "--force", FORCE, "--origin", "police.example/log"],
      as(KEYHOLDER),
    );
    expect(made.status).toBe(0);
    const sockets = ["--socket", place("run", "desk.sock"), "--console-socket", place("run", "console.sock")];
    const child = spawn(process.execPath, [...node, "serve", ...folder, ...sockets, "--desk-in-group"], {
      ...as(KEYHOLDER),
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    end = async () => {
      child.kill("SIGKILL");
      await exited;
    };
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
    });
  }, 60_000);
  afterAll(async () => {
    await end();
    if (root !== "") rmSync(root, { recursive: true });
  });

  const connects = (socket: string, identity: { uid: number; gid: number }) => {
    const script = `require("net").connect(${JSON.stringify(place("run", socket))}).on("connect",()=>process.exit(0)).on("error",(e)=>{console.log(e.code);process.exit(1)})`;
    const { status, stdout } = spawnSync(process.execPath, ["-e", script], { ...identity, encoding: "utf8" });
    return status === 0 ? "connected" : stdout.trim();
  };
  const reads = (name: string, identity: { uid: number; gid: number }) =>
    spawnSync("cat", [place("keyholder", name)], identity).status === 0;

  it("answers the desk's user on the desk's socket", () => {
    expect(connects("desk.sock", as(DESK))).toBe("connected");
  });

  it("refuses the desk's user at its console, at its key file and at its store", () => {
    expect(connects("console.sock", as(DESK))).toBe("EACCES");
    for (const name of ["key", "store.db"]) {
      expect(reads(name, as(DESK))).toBe(false);
      expect(reads(name, as(KEYHOLDER))).toBe(true);
    }
  });

  it("refuses a user outside of the group at both sockets", () => {
    const stranger = as(STRANGER, idOf("-g", STRANGER));
    for (const socket of ["desk.sock", "console.sock"]) expect(connects(socket, stranger)).toBe("EACCES");
  });
});
