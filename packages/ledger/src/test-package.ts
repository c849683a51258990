import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("..", import.meta.url));
const modules = join(source, "..", "..", "node_modules");

/** Builds and packs as for a release, and unpacks where a stranger would have it: beside what is named, and nothing else. */
export const installPackage = (beside: readonly string[] = ["@noble"]) => {
  const place = mkdtempSync(join(tmpdir(), "tipstaff-package-"));
  const built = join(place, "built");
  execFileSync(process.execPath, [join(source, "build.mjs"), built]);
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", place, built], { encoding: "utf8" });
  const tarball = join(place, packed.trim());
  const installed = join(place, "node_modules", "@tipstaff", "ledger");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  for (const name of beside) symlinkSync(join(modules, name), join(place, "node_modules", name));
  return { place, installed, tarball, remove: () => rmSync(place, { recursive: true, force: true }) };
};
