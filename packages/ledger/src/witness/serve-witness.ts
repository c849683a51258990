import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Witness } from "./witness.ts";

/** Longest request: 63 hashes and a note of 16 ML-DSA signatures. */
export const MAX_REQUEST_BYTES = 131_072;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often it is looked for requests that take too long; Node would let them stay for 30 s more. */
const CHECKING_INTERVAL_MS = 1000;
const MAX_CONNECTIONS = 256;

/**
 * Answers `POST <prefix>/add-checkpoint` (C2SP tlog-witness), and nothing else. `onError` is told of faults of the store, which
 * are answered 500 without a cosignature.
 */
export const serveWitness =
  (
    witness: Witness,
    { onError, prefix = "" }: { onError?: (error: unknown) => void; prefix?: string } = {},
  ): RequestListener =>
  (request, response) => {
    if (request.url !== `${prefix}/add-checkpoint`) return end(response, { status: 404, body: "no such call\n" });
    if (request.method !== "POST") return end(response, { status: 405, body: "POST it\n" });
    readBody(request).then(
      (body) => {
        if (body === undefined) return end(response, { status: 413, body: "too long\n" });
        try {
          end(response, witness.addCheckpoint(body));
        } catch (error) {
          onError?.(error);
          end(response, { status: 500, body: "the witness cannot cosign now\n" });
        }
      },
      () => response.destroy(),
    );
  };

/** A server with the limits that a public one needs. */
export const createWitnessServer = (listener: RequestListener): Server => {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    },
    listener,
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
};

const end = (
  response: ServerResponse,
  { status, body, type = "text/plain; charset=utf-8" }: { status: number; body: string; type?: string },
): void => {
  // What is still unread of a refused request must not be taken for the next one.
  if (status === 413 || status === 404 || status === 405) response.setHeader("connection", "close");
  if (status === 405) response.setHeader("allow", "POST");
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
};

const readBody = async (request: IncomingMessage): Promise<Uint8Array | undefined> => {
  if (Number(request.headers["content-length"]) > MAX_REQUEST_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
