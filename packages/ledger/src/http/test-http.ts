import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, beforeAll } from "vitest";
import { createNoteSigner, parseVerifierKey } from "../index.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { serveLog } from "./serve-log.ts";

const signer = createNoteSigner("test.example/log", testKey("http"));
export const verifierKeys = [parseVerifierKey(signer.verifierKey)];
export const log = createMemoryLog(signer);
/** A log whose entries can be compressed. */
export const words = createMemoryLog(signer);
beforeAll(() => {
  words.append(Array.from({ length: 300 }, (_, n) => new TextEncoder().encode(`entry ${n} of the log in words`)));
  log.append(Array.from({ length: 300 }, (_, n) => testEntry(`http ${n}`).leaf));
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
/** A server on loopback until the test ends; answers its URL. */
export const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
};
export const serving = (prefix?: string) => listen(serveLog({ tiles: log.reader, ...(prefix ? { prefix } : {}) }));
