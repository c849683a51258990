import { sign } from "node:crypto";
import { createReadStream } from "node:fs";
import type { KeyUse } from "@tipstaff/agreement";
import {
  type Content,
  type RawRequest,
  REFUSALS,
  type RefusalCode,
  signReply,
  type VerifiedRequest,
  verifyRequest,
} from "@tipstaff/release-protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Desk } from "../desk.ts";
import { isUnavailable } from "../server/unavailable.ts";
import {
  type AgreementsInUse,
  createAgreementsInUse,
  type ReadAgreements,
  type RecipientKeyInUse,
} from "./agreements-in-use.ts";
import { createNonces } from "./nonces.ts";

/** A release request is about 2 KB. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** A request whose signature, freshness and nonce were checked. */
export type SignedRequest = {
  /** Whose key it is. */
  readonly recipient: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** As it came, to be kept as evidence. */
  readonly raw: RawRequest;
};

export type Refusal = { readonly refusal: RefusalCode; readonly retryAfterSeconds?: number };
/** A file is sent as it lies there; the reply is signed over the digest that is given. */
export type SignedFile = { readonly file: string; readonly sha256: Uint8Array; readonly length: number };
export type SignedAnswer = { readonly json: unknown } | SignedFile | Refusal;

export type SignedRoute = {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** What the key that signs must be for. */
  readonly use: Exclude<KeyUse, "agreement">;
  readonly handle: (request: SignedRequest) => Promise<SignedAnswer>;
};

type Checks = {
  readonly desk: Desk;
  readonly agreements: ReadAgreements;
  readonly nonces: ReturnType<typeof createNonces>;
};

/**
 * Routes for bureaux: every request is signed by a key of an active agreement, every reply by the desk's reply key and
 * bound to its request (docs/spec/release-protocol.md, section 1). Refusals are signed too, but for requests that carry
 * no signature to bind them to.
 */
export function registerSigned(app: FastifyInstance, desk: Desk, routes: readonly SignedRoute[]): void {
  const checks = { desk, agreements: createAgreementsInUse(desk.pool), nonces: createNonces(desk.pool) };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The signature is over bytes: nothing may be parsed before it is verified.
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => {
      done(null, body);
    });
    scope.setErrorHandler(async (error, request, reply) => {
      const isTheirs = error instanceof Error && "statusCode" in error && Number(error.statusCode) < 500;
      const route = request.routeOptions.url;
      if (isUnavailable(error)) request.log.warn({ route }, "database or keyholder cannot be reached");
      else if (!isTheirs) request.log.error({ err: error, route }, "signed request failed");
      const answer: Refusal = isTheirs ? { refusal: "malformed" } : { refusal: "unavailable", retryAfterSeconds: 1 };
      return send(desk, { request, reply, answer });
    });
    for (const { method, url, use, handle } of routes) {
      scope.route({
        method,
        url,
        handler: async (request, reply) => {
          const checked = await checkRequest(checks, request, use);
          const answer = "refusal" in checked ? checked : await handle(checked);
          return send(desk, { request, reply, answer });
        },
      });
    }
  });
}

async function checkRequest(
  { desk, agreements, nonces }: Checks,
  request: FastifyRequest,
  use: SignedRoute["use"],
): Promise<SignedRequest | Refusal> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const raw: RawRequest = {
    method: request.method,
    targetUri: desk.publicUrl + request.url,
    headers: signedHeaders(request),
    body: body.toString("base64url"),
  };
  const now = desk.now();
  let checked = verifyBy(await agreements(), { raw, use, now });
  // The key may be one of an agreement that was activated a moment ago.
  if ("refusal" in checked && checked.refusal === "unknown-key") {
    checked = verifyBy(await agreements("now"), { raw, use, now });
  }
  if ("refusal" in checked) return checked;
  const { verified, recipient } = checked;
  if (!(await nonces.use(verified))) return { refusal: "replayed" };
  return { recipient, params: toParams(request.params), body, raw };
}

type Verified = { readonly verified: VerifiedRequest & { ok: true }; readonly recipient: string };

function verifyBy(
  { keys }: AgreementsInUse,
  { raw, use, now }: { raw: RawRequest; use: SignedRoute["use"]; now: Date },
): Verified | Refusal {
  const keyFor = (keyid: string): RecipientKeyInUse | undefined => {
    const fitting = (keys.get(keyid) ?? []).filter((key) => key.use === use);
    const [first] = fitting;
    // One name for two keys names neither.
    const isClear = fitting.every((key) => first?.recipient === key.recipient && first.publicKey.equals(key.publicKey));
    return isClear ? first : undefined;
  };
  const verified = verifyRequest(raw, { publicKeyFor: (keyid) => keyFor(keyid)?.publicKey, now });
  if (!verified.ok) return { refusal: verified.code };
  const key = keyFor(verified.keyid);
  return key === undefined ? { refusal: "unknown-key" } : { verified, recipient: key.recipient };
}

const SIGNED_HEADERS = ["content-digest", "signature-input", "signature"] as const;

function signedHeaders(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of SIGNED_HEADERS) {
    const value = request.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  return headers;
}

function toParams(params: unknown): Record<string, string> {
  const entries = typeof params === "object" && params !== null ? Object.entries(params) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function send(
  desk: Desk,
  { request, reply, answer }: { request: FastifyRequest; reply: FastifyReply; answer: SignedAnswer },
): FastifyReply {
  const { status, type, content } = encodeAnswer(answer);
  if ("refusal" in answer && answer.retryAfterSeconds !== undefined) {
    reply.header("retry-after", String(answer.retryAfterSeconds));
  }
  const requestSignature = request.headers.signature;
  if (typeof requestSignature === "string") {
    const body = Buffer.isBuffer(content) ? content : { sha256: content.sha256 };
    reply.headers(signatureOf(desk, { status, body, requestSignature }));
  }
  reply.code(status).type(type);
  if (Buffer.isBuffer(content)) return reply.send(content);
  return reply.header("content-length", content.length).send(createReadStream(content.file));
}

function encodeAnswer(answer: SignedAnswer): { status: number; type: string; content: Buffer | SignedFile } {
  if ("file" in answer) return { status: 200, type: "application/octet-stream", content: answer };
  if ("json" in answer) {
    return { status: 200, type: "application/json", content: Buffer.from(JSON.stringify(answer.json)) };
  }
  const status = REFUSALS[answer.refusal];
  const problem = { type: "about:blank", title: answer.refusal, status, code: answer.refusal };
  return { status, type: "application/problem+json", content: Buffer.from(JSON.stringify(problem)) };
}

function signatureOf(
  desk: Desk,
  reply: { status: number; body: Content; requestSignature: string },
): Record<string, string> {
  const { keyid, privateKey } = desk.replyKey;
  try {
    return signReply({ ...reply, keyid, sign: (bytes) => sign(null, bytes, privateKey), now: desk.now() });
  } catch (error) {
    // The request's signature field is no signature: there is nothing to bind a reply to.
    if (error instanceof RangeError) return {};
    throw error;
  }
}
