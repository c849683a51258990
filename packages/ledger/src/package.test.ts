import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import chromiumPackage from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveLog } from "./http/serve-log.ts";
import { createNoteSigner } from "./index.ts";
import { createMemoryLog } from "./memory/memory-log.ts";
import { createFolderStorage } from "./storage/folder-storage.ts";
import { testEntry, testKey } from "./test-entries.ts";
import { installPackage } from "./test-package.ts";

let place = "";
let installed = "";
let tarball = "";
let remove = () => {};
beforeAll(() => {
  ({ place, installed, tarball, remove } = installPackage());
});
afterAll(() => remove());

const filesBelow = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();

describe("the packed package", () => {
  test("holds JavaScript, types, README and licence, and nothing else", () => {
    const top = readdirSync(installed).sort();
    expect(top).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
    const files = filesBelow(join(installed, "dist")).filter((file) => extname(file) !== "");
    expect(files.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /(^|\/)test-|\.test\./.test(file))).toEqual([]);
    const manifest = readFileSync(join(installed, "package.json"), "utf8");
    expect(manifest).not.toMatch(/\.\/src\/|devDependencies|"scripts"|"private"/);
  });

  test("never needs Node through its main door", () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(join(installed, "dist", file), "utf8");
      for (const [, name = ""] of text.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)) {
        expect(name, file).not.toMatch(/^node:|^pg$|^@aws-sdk/);
        if (name === "#crypto") visit("platform/portable.js");
        else if (name === "#crew") visit("verify-log/no-crew.js");
        else if (name.startsWith(".")) visit(join(file, "..", name));
      }
      expect(text, file).not.toMatch(/\bBuffer\b|\bprocess\./);
    };
    visit("index.js");
    visit("memory/memory-log.js");
    expect(seen.size).toBeGreaterThan(15);
  });

  test("is without fault to publint", async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types that every ESM resolution finds", async () => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    if (!result.types) throw new Error("no types");
    const problems = result.problems.filter(({ kind, ...rest }) => {
      // The package is ESM only, and node10 knows no exports: neither is a fault of its types.
      const old = "resolutionKind" in rest && rest.resolutionKind === "node10";
      return !old && kind !== "CJSResolvesToESM";
    });
    expect(problems).toEqual([]);
  });

  test("runs its README's examples as they stand", async () => {
    const readme = readFileSync(join(installed, "README.md"), "utf8");
    const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, example = ""]) => example);
    expect(examples).toHaveLength(3);
    for (const [n, example] of examples.entries()) writeFileSync(join(place, `example-${n}.mjs`), example);
    const run = async (n: number, ...given: string[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [`example-${n}.mjs`, ...given], { cwd: place });
      return stdout;
    };
    expect(await run(0)).toBe("true\n");

    writeFileSync(join(place, "seed"), testKey("readme"));
    for (const size of [1, 2, 3]) expect(await run(1, `entry ${size}`)).toBe(`${size}\n`);
    const { verifierKey } = createNoteSigner("example.org/log", testKey("readme"));
    const server = createServer(serveLog({ tiles: createFolderStorage(join(place, "log")) }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    try {
      expect(await run(2, url, verifierKey)).toBe("example.org/log: 3 entries\n");
      const tile = join(place, "log", "tile", "0", "000.p", "3");
      writeFileSync(tile, new Uint8Array(96));
      expect(await run(2, url, verifierKey)).toContain("kind: 'tile'");
      await expect(run(1, "entry 4")).rejects.toThrow("the tiles lie");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

const THREADS = `
import { mkdtempSync } from "node:fs";
import { createNoteSigner, encodeCheckpoint, edgeRoot, emptyEdge, extendEdge, parseVerifierKey, signNote, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
const signer = createNoteSigner("test.example/log", new Uint8Array(32));
const { edge, files } = extendEdge(emptyEdge, Array.from({ length: 1100 }, (_, n) => Uint8Array.of(n, n >> 8)));
const tiles = createFolderStorage(mkdtempSync("log-"));
await tiles.writeOnce(files);
const text = encodeCheckpoint({ origin: "test.example/log", size: 1100, root: edgeRoot(edge) });
await tiles.replace({ path: "checkpoint", bytes: signNote(text, [signer]) });
const messages = [];
process.on("worker", (worker) => worker.on("message", ({ done }) => messages.push(done)));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];
const verdict = await verifyLog({ tiles, verifierKeys, anyEntries: true, threads: 2 });
console.log(verdict.ok, verdict.size, messages.join());
`;

describe("in Node, the packed package", () => {
  test("verifies a log on several threads", () => {
    writeFileSync(join(place, "threads.mjs"), THREADS);
    const options = { cwd: place, encoding: "utf8" } as const;
    expect(execFileSync(process.execPath, ["threads.mjs"], options)).toBe("true 1100 2,2\n");
  });
});

describe("in a browser, the packed package", () => {
  test("makes and verifies proofs, and verifies a checkpoint and a whole log that Node wrote", async () => {
    const signer = createNoteSigner("test.example/log", testKey("browser"));
    const log = createMemoryLog(signer);
    log.append(Array.from({ length: 300 }, (_, n) => testEntry(`browser ${n}`).leaf));
    const serve = serveLog({ tiles: log.reader, prefix: "/log/" });
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://here").pathname;
      if (path.startsWith("/log/")) return void serve(request, response);
      if (path === "/") return void response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      if (!/^\/node_modules\/[\w@./-]+\.js$/.test(path) || path.includes(".."))
        return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(join(place, path)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
    const executablePath = await chromiumPackage.executablePath();
    const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.goto(`${url}#${encodeURIComponent(signer.verifierKey)}`);
      await page.waitForFunction("document.title !== ''", undefined, { timeout: 60_000 }).catch(() => undefined);
      expect(errors).toEqual([]);
      const expected = {
        opened: true,
        proven: true,
        otherProven: false,
        forged: "bad-signature",
        whole: { ok: true, size: 300 },
      };
      expect(JSON.parse(await page.title())).toEqual(expected);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});

const PAGE = `<!doctype html><html><head><script type="importmap">{"imports": {
  "#crypto": "/node_modules/@tipstaff/ledger/dist/platform/portable.js",
  "#crew": "/node_modules/@tipstaff/ledger/dist/verify-log/no-crew.js",
  "@tipstaff/ledger": "/node_modules/@tipstaff/ledger/dist/index.js",
  "@tipstaff/ledger/memory": "/node_modules/@tipstaff/ledger/dist/memory/memory-log.js",
  "@noble/": "/node_modules/@noble/"
}}</script></head><body><script type="module">
import * as ledger from "@tipstaff/ledger";
import { createMemoryLog } from "@tipstaff/ledger/memory";
const keys = [ledger.parseVerifierKey(decodeURIComponent(location.hash.slice(1)))];
const origin = "test.example/log";
const reader = ledger.createHttpReader(new URL("/log/", location.href).href);
const note = await reader.read("checkpoint");
const opened = ledger.openCheckpoint(note, { keys, origin });
const { size, root } = opened.checkpoint;
const prover = ledger.createProver({ size: Number(size), readTile: ledger.tileReaderOf(reader) });
const proof = await prover.inclusion(7);
const [entry] = (await ledger.readEntries(reader, { index: 0, width: 256 })).slice(7);
const claim = { index: 7, leafHash: ledger.leafHash(entry), size, root, proof };
const forged = createMemoryLog({ ...ledger.createNoteSigner(origin, new Uint8Array(32)), keyId: keys[0].keyId });
const whole = await ledger.verifyLog({ tiles: reader, verifierKeys: keys, origin });
document.title = JSON.stringify({
  opened: opened.ok,
  proven: ledger.verifyInclusion(claim),
  otherProven: ledger.verifyInclusion({ ...claim, index: 8 }),
  forged: ledger.openCheckpoint(forged.checkpoint(), { keys, origin }).reason,
  whole: { ok: whole.ok, size: whole.size },
});
</script></body></html>`;
