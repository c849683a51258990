import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKeyholderClient, KeyholderError } from "./node.ts";

let folder = "";
let socketPath = "";
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyholder-client-"));
  socketPath = join(folder, "s");
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const serve = (listener: RequestListener): Promise<void> => {
  server = createServer(listener);
  return new Promise((resolve) => server?.listen(socketPath, resolve));
};
const stop = async (): Promise<void> => {
  const stopping = server;
  server = undefined;
  stopping?.closeAllConnections();
  await new Promise((resolve) => (stopping === undefined ? resolve(undefined) : stopping.close(resolve)));
};
const answer = (status: number, body: string) => serve((_, response) => response.writeHead(status).end(body));
const head = { size: 3, head: "a".repeat(64) };

const codeOf = async (act: Promise<unknown>): Promise<string> => {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof KeyholderError ? [error.code, error.reason].join(" ").trim() : String(error);
};

test("call() posts JSON to the call's path and gives back the validated answer", async () => {
  const seen: unknown[] = [];
  await serve(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    seen.push([incoming.method, incoming.url, JSON.parse(Buffer.concat(chunks).toString("utf8"))]);
    response.end(JSON.stringify(head));
  });
  expect(await createKeyholderClient({ socketPath }).call("journal/head", {})).toEqual(head);
  expect(seen).toEqual([["POST", "/journal/head", {}]]);
});

test("call() tells a refusal with the keyholder's own code", async () => {
  await answer(409, JSON.stringify({ type: "about:blank", status: 409, code: "root-exists", detail: "…" }));
  const client = createKeyholderClient({ socketPath });
  expect(await codeOf(client.call("journal/head", {}))).toBe("keyholder-refused root-exists");
});

test.each([
  ["another shape", 200, '{"size":3}'],
  ["more than was asked", 200, JSON.stringify({ ...head, more: 1 })],
  ["no JSON", 200, "<html>"],
  ["nothing", 200, ""],
  ["a failure without a code", 500, "{}"],
])("call() refuses an answer of %s", async (_, status, body) => {
  await answer(status, body);
  expect(await codeOf(createKeyholderClient({ socketPath }).call("journal/head", {}))).toBe("keyholder-answer");
});

test("call() tells when nobody listens, when the connection breaks, and when there is silence", async () => {
  const client = createKeyholderClient({ socketPath, timeoutMs: 100 });
  expect(await codeOf(client.call("journal/head", {}))).toBe("keyholder-unreachable");
  await serve((incoming) => incoming.socket.destroy());
  expect(await codeOf(client.call("journal/head", {}))).toBe("keyholder-unreachable");
  await stop();
  await serve((_, response) => response.writeHead(200, { "content-length": "50" }).write("{"));
  expect(await codeOf(client.call("journal/head", {}))).toBe("keyholder-timeout");
  await stop();
  await serve(() => undefined);
  expect(await codeOf(client.call("journal/head", {}))).toBe("keyholder-timeout");
});

test("call() goes on by itself after the keyholder was restarted between two calls", async () => {
  const client = createKeyholderClient({ socketPath });
  for (let round = 0; round < 3; round += 1) {
    await answer(200, JSON.stringify(head));
    expect(await client.call("journal/head", {})).toEqual(head);
    await stop();
  }
});
