import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createFolderStorage } from "../storage/folder-storage.ts";
import { serveLog } from "./serve-log.ts";
import { listen, log, serving, words } from "./test-http.ts";

/** A request exactly as written: fetch would tidy the path. */
const ask = (
  base: string,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const sent = httpRequest({ hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });

describe("serveLog()", () => {
  test("lets tiles and bundles be kept for ever, and the checkpoint not at all", async () => {
    const base = await serving();
    const tile = await ask(base, "/tile/0/000");
    expect(tile.status).toBe(200);
    expect(tile.body).toEqual(Buffer.from((await log.reader.read("tile/0/000")) ?? []));
    expect(tile.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    });
    const checkpoint = await ask(base, "/checkpoint");
    expect(checkpoint.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache",
    });
  });

  test("zips entry bundles for who takes it, and nothing else", async () => {
    const base = await listen(serveLog({ tiles: words.reader }));
    const bundle = Buffer.from((await words.reader.read("tile/entries/000")) ?? []);
    for (const header of ["gzip", "br;q=1, gzip;q=0.5", "*", "GZIP ; q=0.001"]) {
      const zipped = await ask(base, "/tile/entries/000", { headers: { "accept-encoding": header } });
      expect(zipped.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
      expect(gunzipSync(zipped.body).equals(bundle)).toBe(true);
    }
    for (const header of ["identity", "gzip;q=0", "gzip;q=0.000", "xgzip", "", "*;q=0", "gzip;q=0, *", "*, gzip;q=0"]) {
      const plain = await ask(base, "/tile/entries/000", { headers: { "accept-encoding": header } });
      expect(plain.headers["content-encoding"]).toBeUndefined();
      expect(plain.body.equals(bundle)).toBe(true);
    }
    const tile = await ask(base, "/tile/0/000", { headers: { "accept-encoding": "gzip" } });
    expect(tile.headers["content-encoding"]).toBeUndefined();
  });

  test("does not zip bundles that hardly become shorter, as ours of commitments", async () => {
    const base = await serving();
    const got = await ask(base, "/tile/entries/000", { headers: { "accept-encoding": "gzip" } });
    expect(got.headers).toMatchObject({ vary: "accept-encoding" });
    expect(got.headers["content-encoding"]).toBeUndefined();
    expect(got.body.equals(Buffer.from((await log.reader.read("tile/entries/000")) ?? []))).toBe(true);
  });

  test("answers HEAD without, and a known ETag with 304; zipped and plain have their own", async () => {
    const base = await listen(serveLog({ tiles: words.reader }));
    const tags = [];
    for (const headers of [{}, { "accept-encoding": "gzip" }]) {
      const got = await ask(base, "/tile/entries/000", { headers });
      const head = await ask(base, "/tile/entries/000", { method: "HEAD", headers });
      expect(head.body).toHaveLength(0);
      expect(head.headers["content-length"]).toBe(String(got.body.length));
      const etag = String(got.headers.etag);
      tags.push(etag);
      const again = await ask(base, "/tile/entries/000", {
        headers: { ...headers, "if-none-match": `"x", W/${etag}` },
      });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    expect(new Set(tags).size).toBe(2);
    expect((await ask(base, "/checkpoint", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("finds its files below a prefix alone", async () => {
    const base = await serving("/log/");
    expect((await ask(base, "/log/checkpoint?x=1")).status).toBe(200);
    expect((await ask(base, "/checkpoint")).status).toBe(404);
  });

  test("gives nothing but the files of a log, whatever lies in or beside its folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tipstaff-serve-"));
    try {
      await writeFile(join(folder, "secret"), "secret");
      await writeFile(join(folder, "checkpoint"), "note");
      await symlink("/etc", join(folder, "tile"));
      const base = await listen(serveLog({ tiles: createFolderStorage(folder) }));
      const paths = [
        "/",
        "/secret",
        "/../secret",
        "/tile/../secret",
        "/tile/0/..%2f..%2fsecret",
        "/%2e%2e/secret",
        "//checkpoint",
        "/checkpoint/",
        "/Checkpoint",
        "/check%70oint",
        "/000.p/3",
        "/tile/passwd",
        "/tile/0/000.p/256",
        "/tile/0/000.p/0",
        "/tile/64/000",
        "/tile/00/000",
        "/tile/0/0",
        "/tile/0/000%00",
        "/tile/0/x000/000",
        "/.unfinished/x",
        "http://other/secret",
      ];
      for (const path of paths) {
        const { status, headers, body } = await ask(base, path);
        expect([path, status]).toEqual([path, 404]);
        expect(headers["content-type"]).toBe("application/problem+json");
        expect(JSON.parse(body.toString())).toMatchObject({ status: 404 });
      }
      expect((await ask(base, "/checkpoint")).status).toBe(200);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("refuses every other method", async () => {
    const base = await serving();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const { status, headers } = await ask(base, "/checkpoint", { method });
      expect([method, status, headers.allow]).toEqual([method, 405, "GET, HEAD"]);
    }
  });

  test("says 503 where the storage fails, and tells the cause to its owner alone", async () => {
    const errors: unknown[] = [];
    const tiles = { read: async () => Promise.reject(new Error("disk at /secret/place")) };
    const base = await listen(serveLog({ tiles, onError: (error) => errors.push(error) }));
    const { status, headers, body } = await ask(base, "/checkpoint");
    expect([status, headers["retry-after"]]).toEqual([503, "1"]);
    expect(body.toString()).not.toContain("secret");
    expect(errors).toHaveLength(1);
  });
});
