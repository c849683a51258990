// Writes package-lock.json anew and completes it: a registry mirror may lack the optional platform builds of a
// package (android, musl …), npm then leaves them out of the lock file, and `npm ci` refuses the lock file it wrote.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const PLATFORMS = new Set([
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "aix",
]);

rmSync("package-lock.json", { force: true });
const npm = spawnSync("npm", ["install", "--package-lock-only", "--loglevel=error"], { stdio: "inherit" });
if (npm.status !== 0) process.exit(npm.status ?? 1);

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${place}/node_modules/${name}`;
    const top = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[top]) continue;
    const parts = name.split("/").at(-1).split("-");
    const os = parts.find((part) => PLATFORMS.has(part));
    if (!os) continue;
    const cpu = parts[parts.indexOf(os) + 1];
    const exact = version.replace(/^[\^~]/, "");
    const musl = name.endsWith("musl") ? { libc: ["musl"] } : {};
    lock.packages[top] = {
      version: exact,
      cpu: [cpu === "universal" ? "x64" : cpu],
      dev: entry.dev,
      ...musl,
      license: entry.license,
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
process.stderr.write(`package-lock.json written; ${added} optional platform packages completed\n`);
