// The one gate: types, lint, architecture, unused code, then every test. CI runs exactly this.
// The last line is `N passed, N failed`; the exit code is 0 only when nothing failed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const staticOnly = process.argv.includes("--static");
const bin = (name) => join(root, "node_modules", ".bin", name);
let passed = 0;
let failed = 0;

function run(title, command, args) {
  const started = Date.now();
  const child = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const good = child.status === 0;
  if (good) passed += 1;
  else failed += 1;
  process.stdout.write(`${good ? "ok    " : "FAILED"} ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  if (!good) process.stdout.write(`${child.stdout}${child.stderr}${child.error ?? ""}\n`);
}

run("types: the whole workspace", bin("tsc"), ["-p", "tsconfig.json"]);
for (const name of readdirSync(join(root, "packages")).sort()) {
  const project = join("packages", name, "tsconfig.json");
  if (existsSync(join(root, project))) run(`types: ${name} compiles without a platform`, bin("tsc"), ["-p", project]);
}
run("lint and format", bin("biome"), ["check", "--error-on-warnings", "."]);
run("architecture: arrows run down", process.execPath, ["scripts/architecture.mjs"]);
run("unused code and dependencies", bin("knip"), []);

if (!staticOnly) {
  const folder = mkdtempSync(join(tmpdir(), "tipstaff-test-"));
  const report = join(folder, "report.json");
  const vitest = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (existsSync(report)) {
    const result = JSON.parse(readFileSync(report, "utf8"));
    passed += result.numPassedTests;
    failed += result.numFailedTests;
    if (result.numTotalTests === 0) failed += 1;
    if (vitest.status !== 0 && result.numFailedTests === 0) failed += 1;
    const skipped = result.numPendingTests + result.numTodoTests;
    if (skipped > 0) process.stdout.write(`${skipped} tests were skipped; on CI that counts as failed\n`);
    if (skipped > 0 && process.env.CI) failed += skipped;
  } else {
    failed += 1;
  }
  rmSync(folder, { recursive: true, force: true });
}

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
