import { readdirSync, readFileSync } from "node:fs";

const TESTS = "\\.test(-data)?\\.ts$|/test-[^/]+\\.ts$|/example-extract\\.ts$";

/** One rule a workspace, made from its package.json: what is not declared there may not be imported. */
const declaredOnly = ["packages", "apps"].flatMap((layer) =>
  readdirSync(layer).map((name) => {
    const manifest = JSON.parse(readFileSync(`${layer}/${name}/package.json`, "utf8"));
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const allowed = declared.map((dependency) =>
      dependency.startsWith("@tipstaff/")
        ? `^(packages|apps)/${dependency.slice("@tipstaff/".length)}/`
        : `node_modules/${dependency.replaceAll("/", "\\/")}/`,
    );
    return {
      name: `declared-${layer}-${name}`,
      comment: "Workspaces hoist: an import that package.json does not name works here and breaks for everybody else.",
      severity: "error",
      from: { path: `^${layer}/${name}/src`, pathNot: TESTS },
      to: { pathNot: [`^${layer}/${name}/`, ...allowed], dependencyTypesNot: ["core"] },
    };
  }),
);

const MAY_USE_AGREEMENT = "^packages/(inspect|sitewatch)/";

export default {
  forbidden: [
    {
      name: "no-unresolved",
      comment: "An import that cannot be resolved would be skipped silently by every other rule.",
      severity: "error",
      from: { pathNot: TESTS },
      to: { couldNotResolve: true },
    },
    {
      name: "no-circular",
      comment: "Two files that need each other are one idea in two places.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "packages-never-use-apps",
      comment: "Arrows run down: a package is a library that someone else could use.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^apps/" },
    },
    {
      name: "no-app-imports-an-app",
      comment: "Desk, keyholder and bureau are different parties: they meet over HTTP and validate what they get.",
      severity: "error",
      from: { path: "^apps/([^/]+)/" },
      to: { path: "^apps/", pathNot: "^apps/$1/" },
    },
    {
      name: "packages-stand-alone",
      comment: "Only inspect and sitewatch may use agreement; no other package uses another.",
      severity: "error",
      from: { path: "^packages/([^/]+)/", pathNot: [TESTS, MAY_USE_AGREEMENT] },
      to: { path: "^packages/", pathNot: "^packages/$1/" },
    },
    ...declaredOnly,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|coverage)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
    parser: "swc",
  },
};
