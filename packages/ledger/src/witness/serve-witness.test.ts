import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest, type OutgoingHttpHeaders, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNoteSigner, parseVerifierKey } from "../index.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testEntry, testKey } from "../test-entries.ts";
import {
  createWitnessServer,
  createWitnessStore,
  encodeAddCheckpoint,
  openWitness,
  serveWitness,
  type Witness,
} from "./index.ts";
import { MAX_REQUEST_BYTES } from "./serve-witness.ts";

const signer = createNoteSigner("test.example/log", testKey("served"));
const log = createMemoryLog(signer);
log.append([testEntry("served").leaf]);
const place = mkdtempSync(join(tmpdir(), "tipstaff-serve-witness-"));
let witness: Witness;
let server: Server;
let port = 0;

beforeAll(async () => {
  const folder = join(place, "w");
  createWitnessStore(folder, { name: "w.example", seed: testKey("w"), algorithm: "ed25519" });
  witness = openWitness({ folder, logs: [{ origin: signer.name, keys: [parseVerifierKey(signer.verifierKey)] }] });
  server = createWitnessServer(serveWitness(witness));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  witness.close();
  rmSync(place, { recursive: true, force: true });
});

type Asked = { method?: string; path?: string; headers?: OutgoingHttpHeaders; body?: Uint8Array };
const ask = ({ method = "POST", path = "/add-checkpoint", headers = {}, body = new Uint8Array(0) }: Asked) =>
  new Promise<{ status: number; allow: string | undefined; text: string }>((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, allow: response.headers.allow, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
const good = encodeAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: log.checkpoint() });

describe("serveWitness()", () => {
  test("answers a request that is too long with 413, whether it says its length or not", async () => {
    const body = new Uint8Array(MAX_REQUEST_BYTES + 1).fill(0x61);
    expect(await ask({ body, headers: { "content-length": body.length } })).toMatchObject({ status: 413 });
    expect(await ask({ body, headers: { "transfer-encoding": "chunked" } })).toMatchObject({ status: 413 });
    const fits = await ask({ body: body.subarray(1), headers: { "transfer-encoding": "chunked" } });
    expect(fits.status).toBe(400);
  });

  test("answers another path 404 and another method 405, and cosigns nothing for either", async () => {
    const paths = [
      "/",
      "/add-checkpoint/",
      "//add-checkpoint",
      "/add-checkpoint?x",
      "/x/../add-checkpoint",
      "/Add-Checkpoint",
    ];
    for (const path of paths) expect([path, (await ask({ path, body: good })).status]).toEqual([path, 404]);
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      expect([method, await ask({ method })]).toMatchObject([method, { status: 405, allow: "POST" }]);
    }
  });

  test("cosigns the first time, and answers a replay 409", async () => {
    const first = await ask({ body: good });
    expect(first).toMatchObject({ status: 200, text: expect.stringMatching(/^— w\.example [A-Za-z0-9+/=]+\n$/) });
    expect(await ask({ body: good })).toMatchObject({ status: 409, text: "1\n" });
  });

  test("gives up a request that never ends, and answers others meanwhile", async () => {
    const socket = connect(port, "127.0.0.1");
    const started = Date.now();
    const ended = new Promise<number>((resolve) => socket.once("close", () => resolve(Date.now() - started)));
    socket.on("error", () => undefined).on("data", () => undefined);
    socket.write("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold");
    expect((await ask({ body: good })).status).toBe(409);
    // Node's own interval of 30 s would make it more than 30 s.
    expect(await ended).toBeLessThan(25_000);
  }, 60_000);
});
