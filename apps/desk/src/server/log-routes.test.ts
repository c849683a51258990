import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpReader, createNoteSigner, parseVerifierKey, verifyLog } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { createMemoryLog } from "@tipstaff/ledger/memory";
import fastify from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import { registerLogRoutes } from "./log-routes.ts";

const place = mkdtempSync(join(tmpdir(), "tipstaff-log-routes-"));
const tiles = join(place, "tiles");
mkdirSync(tiles);
mkdirSync(join(place, "openings"));
writeFileSync(join(place, "openings", "000.p"), "sealed");
const app = fastify();
const errors: unknown[] = [];
// Nothing else of a desk: no database is there to be asked.
registerLogRoutes(app, { folders: { tiles }, log: { error: (error: unknown) => void errors.push(error) } });
afterAll(async () => {
  await app.close();
  rmSync(place, { recursive: true, force: true });
});

describe("the log's public files", () => {
  it("verify over HTTP, without a database and without a token", async () => {
    const signer = createNoteSigner("test.example/log", new Uint8Array(32));
    const log = createMemoryLog(signer);
    log.append(Array.from({ length: 3 }, (_, n) => Uint8Array.of(n)));
    const storage = createFolderStorage(tiles);
    for (const path of ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"]) {
      await storage.replace({ path, bytes: (await log.reader.read(path)) ?? new Uint8Array(0) });
    }
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const verdict = await verifyLog({
      tiles: createHttpReader(`${url}/log`),
      anyEntries: true,
      verifierKeys: [parseVerifierKey(signer.verifierKey)],
    });
    expect(verdict).toMatchObject({ ok: true, size: 3 });
  });

  it("are all that is served: no opening, nothing above the folder", async () => {
    for (const path of ["000.p/3", "../openings/000.p", "..%2fopenings%2f000.p", "tile/../../openings/000.p", ""]) {
      const { statusCode, headers } = await app.inject({ url: `/log/${path}` });
      expect([path, statusCode]).toEqual([path, 404]);
      expect(headers["content-type"]).toMatch(/json/);
    }
    const { statusCode, body } = await app.inject({ method: "HEAD", url: "/log/checkpoint" });
    expect([statusCode, body]).toEqual([200, ""]);
    expect(errors).toEqual([]);
  });
});
