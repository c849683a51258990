// Builds what strangers get into dist/npm: JavaScript, types, README, licence, and a package.json that names these.
// Inside the workspace the package's doors lead to the TypeScript sources, which Node runs as they are.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const out = process.argv[2] ?? join(here, "dist", "npm");
const source = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

const built = (file) => `./${file.replace(/^\.\/src\//, "dist/").replace(/\.ts$/, ".js")}`;
const typed = (file) => ({ types: built(file).replace(/\.js$/, ".d.ts"), default: built(file) });
const mapped = (entries, change) =>
  Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, change(file)]));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
execFileSync(process.execPath, [tsc, "-p", join(here, "tsconfig.build.json"), "--outDir", join(out, "dist")], {
  stdio: "inherit",
});
for (const [from, name] of [
  [here, "README.md"],
  [root, "LICENSE"],
]) {
  copyFileSync(join(from, name), join(out, name));
}
const { private: _, scripts: __, devDependencies: ___, ...kept } = source;
const manifest = {
  ...kept,
  files: ["dist"],
  imports: mapped(source.imports, (platforms) => mapped(platforms, built)),
  exports: { ...mapped(source.exports, typed), "./package.json": "./package.json" },
};
writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
