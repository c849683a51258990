// Checks the arrows of ARCHITECTURE.md with dependency-cruiser, then plants one violation and demands that it is found:
// a check that cannot fail proves nothing.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const depcruise = join(root, "node_modules", ".bin", "depcruise");

function cruise(...places) {
  return spawnSync(depcruise, ["--config", ".dependency-cruiser.mjs", "--output-type", "err", ...places], {
    cwd: root,
    encoding: "utf8",
  });
}

const real = cruise("packages", "apps");
process.stdout.write(real.stdout + real.stderr);
if (real.status !== 0) process.exit(1);

const planted = join(root, "packages/agreement/src/planted-violation.ts");
writeFileSync(planted, 'export { createComposer } from "@tipstaff/artwork";\n');
try {
  const found = cruise("packages/agreement");
  if (found.status === 0) {
    process.stdout.write("the planted violation (agreement imports artwork) was not found: the check is blind\n");
    process.exit(1);
  }
} finally {
  rmSync(planted);
}
