// Plain JavaScript for any Node from 18 on: installs when the lock file changed, silent otherwise,
// then runs the asked-for program on the project's own Node (the npm package `node`).
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".tipstaff-lock");
const lockDigest = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lockDigest) {
  process.stderr.write("Installing what Tipstaff needs (npm ci), once …\n");
  const npm = spawnSync("npm", ["ci", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (npm.status !== 0) {
    process.stderr.write("npm ci failed: see above. Tipstaff needs npm 10 or newer and a reachable npm registry.\n");
    process.exit(2);
  }
  writeFileSync(stamp, lockDigest);
}

const [verb, ...args] = process.argv.slice(2);
const cli = join(root, "apps/cli/src/main.ts");
const programs = {
  demo: [cli, "demo"],
  bench: [join(root, "bench/main.ts")],
  tipstaff: [cli],
  test: [join(root, "scripts/test.mjs")],
  check: [join(root, "scripts/test.mjs"), "--static"],
};
const program = programs[verb];
if (!program) {
  process.stderr.write(
    `bootstrap: unknown program ${JSON.stringify(verb)}; one of ${Object.keys(programs).join(", ")}\n`,
  );
  process.exit(2);
}

const node = join(root, "node_modules", "node", "bin", "node");
const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...program, ...args], {
  stdio: "inherit",
  // Pictures are drawn on several threads, and the C library would keep freed memory for each of them apart.
  env: { MALLOC_ARENA_MAX: "2", ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 2 : (code ?? 2)));
