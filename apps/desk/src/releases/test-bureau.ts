import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  chainNext,
  chainStart,
  ONE_TIME_KEY_LENGTH,
  type RawRequest,
  type Receipt,
  type ReleaseRequest,
  releaseIdentity,
  signRequest,
  verifyReply,
} from "@tipstaff/release-protocol";
import type { FastifyInstance } from "fastify";
import { generateKeyPair } from "./test-keys.ts";

export type BureauAnswer = {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
};

export type Sending = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly key?: "requests" | "receipts" | "stranger";
  readonly nonce?: Uint8Array;
  readonly now?: Date;
  /** Changes what was signed, on its way. */
  readonly tamper?: (headers: Record<string, string>) => Record<string, string>;
};

const PUBLIC_URL = "http://desk.example";

/** The other side of the protocol, in a test: signs as a bureau signs, and verifies every reply. */
export function createTestBureau(place: { app: FastifyInstance; replyKey: KeyObject; recipient: string }) {
  const { app, replyKey, recipient } = place;
  const keys = {
    requests: generateKeyPairSync("ed25519"),
    receipts: generateKeyPairSync("ed25519"),
    stranger: generateKeyPairSync("ed25519"),
  };
  const chains = new Map<string, Uint8Array>();

  const send = async (sending: Sending): Promise<BureauAnswer> => {
    const { method, path, key = "requests" } = sending;
    const body = sending.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(sending.body));
    const { privateKey } = keys[key];
    const signed = signRequest({
      ...{ method, body, lifetimeSeconds: 60 },
      targetUri: PUBLIC_URL + path,
      keyid: `${recipient}-${key}`,
      sign: (bytes) => sign(null, bytes, privateKey),
      now: sending.now ?? new Date(),
      nonce: sending.nonce ?? randomBytes(16),
    });
    const headers: Record<string, string> = sending.tamper?.({ ...signed }) ?? { ...signed };
    const type = body.length === 0 ? {} : { "content-type": "application/json" };
    const payload = body.length === 0 ? {} : { payload: body };
    const reply = await app.inject({ method, url: path, headers: { ...headers, ...type }, ...payload });
    const verdict = verifyReply(
      { status: reply.statusCode, headers: toStrings(reply.headers), body: reply.rawPayload },
      { requestSignature: headers.signature ?? "", publicKeyFor: () => replyKey, now: new Date() },
    );
    if (!verdict.ok && headers.signature !== undefined) throw new Error(`the reply is not signed: ${verdict.code}`);
    const json: Record<string, unknown> = reply.body === "" ? {} : JSON.parse(reply.body);
    const code = typeof json.code === "string" ? json.code : undefined;
    return { status: reply.statusCode, code, text: reply.body, body: json, headers: reply.headers };
  };

  const chainOf = (line: string): Uint8Array => chains.get(line) ?? chainStart(recipient, line);
  const makeRequest = (job: JobPlace, line: string, more: Partial<ReleaseRequest> = {}): ReleaseRequest => ({
    ...{ version: 1, attempt: 1, line, recipient, ...job },
    previous: Buffer.from(chainOf(line)).toString("hex"),
    key: ONE_TIME_KEYS[keyTurn++ % ONE_TIME_KEYS.length] ?? "",
    ...more,
  });
  /** Asks, and moves the line's chain on where it was reserved. */
  const release = async (request: ReleaseRequest, sending: Partial<Sending> = {}): Promise<BureauAnswer> => {
    const answer = await send({ method: "POST", path: "/v1/releases", body: request, ...sending });
    if (answer.status === 200) {
      chains.set(request.line, chainNext(Buffer.from(request.previous, "hex"), releaseIdentity(request)));
    }
    return answer;
  };
  const makeReceipt = (job: JobPlace, line: string, more: Partial<Receipt> = {}): Receipt => {
    const { run: _, ...rest } = job;
    const blank = `B-${job.job.slice(0, 8)}`;
    const at = new Date().toISOString();
    return {
      version: 1,
      attempt: 1,
      result: "produced",
      kept: "nothing",
      recipient,
      line,
      blank,
      at,
      ...rest,
      ...more,
    };
  };
  const receipt = (content: Receipt, sending: Partial<Sending> = {}) =>
    send({ method: "POST", path: "/v1/receipts", body: content, key: "receipts", ...sending });

  /** A signed request that never left. */
  const capture = async (request: ReleaseRequest): Promise<RawRequest> => {
    const body = Buffer.from(JSON.stringify(request));
    const [method, targetUri] = ["POST", `${PUBLIC_URL}/v1/releases`];
    const { privateKey } = keys.requests;
    const headers = signRequest({
      ...{ method, targetUri, body, lifetimeSeconds: 60, now: new Date(), nonce: randomBytes(16) },
      keyid: `${recipient}-requests`,
      sign: (bytes) => sign(null, bytes, privateKey),
    });
    return { method, targetUri, headers: { ...headers }, body: body.toString("base64url") };
  };

  return { recipient, keys, capture, chains, chainOf, send, makeRequest, release, makeReceipt, receipt };
}
export type TestBureau = ReturnType<typeof createTestBureau>;

/** Where a job stands: what both its release and its receipt name. */
export type JobPlace = {
  readonly agreement: string;
  readonly run: string;
  readonly order: string;
  readonly job: string;
};

/** Making one takes long; the desk and the keyholder do not mind two requests with one key. */
const ONE_TIME_KEYS: readonly string[] = await Promise.all(Array.from({ length: 4 }, generateKeyPair));
let keyTurn = 0;
if (ONE_TIME_KEYS.some((key) => Buffer.from(key, "base64url").length !== ONE_TIME_KEY_LENGTH)) {
  throw new Error("a one-time key has another length");
}

function toStrings(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
