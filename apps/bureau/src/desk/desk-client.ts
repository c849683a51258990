import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isRefusalCode, NONCE_LENGTH, type RefusalCode, signRequest, verifyReply } from "@tipstaff/release-protocol";
import { Agent, type Dispatcher } from "undici";
import { z } from "zod";
import type { BureauKey } from "../installation/keys.ts";
import type { Pins } from "../installation/pins.ts";

const LIFETIME_SECONDS = 60;
const HEADERS_TIMEOUT_MS = 20_000;
const BODY_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A run of 47,000 jobs is about 2 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_RETRY_AFTER_SECONDS = 3_600;

/**
 * What the desk answered. `unreachable` is every case in which nothing that the desk signed has arrived: it may or may not
 * have been done, so ask again, signed anew.
 */
export type DeskAnswer<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "unreachable"; readonly why: UnreachableReason };
export type UnreachableReason =
  | "no-connection"
  | "reply-unsigned"
  | "reply-not-authentic"
  /** The desk's own reply, and out of time by our clock. */
  | "clock-differs"
  | "answer-malformed"
  | "answer-too-long";

export type DeskCall = {
  readonly method: "GET" | "POST";
  /** From the root, such as `/v1/runs`. */
  readonly path: string;
  readonly key: BureauKey;
  readonly body?: unknown;
};

export type DeskClient = {
  /** One exchange, verified and read by the schema. Never throws for what comes over the wire. */
  readonly call: <T>(call: DeskCall, schema: z.ZodType<T>) => Promise<DeskAnswer<T>>;
  /**
   * Writes the answer to a file (which must not exist) and gives its SHA-256; the file counts only when it is `ok`. What is
   * longer than `maxBytes` is broken off as soon as it is: `answer-too-long`.
   */
  readonly download: (
    call: DeskCall,
    to: { readonly file: string; readonly maxBytes: number },
  ) => Promise<DeskAnswer<{ readonly sha256: Uint8Array }>>;
  readonly close: () => Promise<void>;
};

const problemSchema = z.looseObject({ code: z.string().max(64) });

/** Speaks with the pinned desk over kept-alive connections; every request is signed, every reply verified. */
export function createDeskClient(options: { pins: Pins; connections: number; now: () => Date }): DeskClient {
  const { pins, now } = options;
  const agent = new Agent({
    connections: options.connections,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
  });
  const wire: Wire = { agent, pins, now };
  return {
    call: (call, schema) => reaching(() => exchangeJson(wire, call, schema)),
    download: (call, to) => reaching(() => exchangeFile(wire, call, to)),
    close: () => agent.destroy(),
  };
}

type Wire = { readonly agent: Agent; readonly pins: Pins; readonly now: () => Date };

async function exchangeJson<T>(wire: Wire, call: DeskCall, schema: z.ZodType<T>): Promise<DeskAnswer<T>> {
  const from = await exchange(wire, call);
  const body = await readWhole(from.response.body);
  const fault = replyFault(wire, from, body);
  if (fault !== undefined) return unreachable(fault);
  if (from.response.statusCode !== 200) return toRefusal(from.response, body);
  const parsed = schema.safeParse(parseJson(body));
  return parsed.success ? { kind: "ok", value: parsed.data } : unreachable("answer-malformed");
}

async function exchangeFile(
  wire: Wire,
  call: DeskCall,
  to: { readonly file: string; readonly maxBytes: number },
): Promise<DeskAnswer<{ readonly sha256: Uint8Array }>> {
  const from = await exchange(wire, call);
  if (from.response.statusCode !== 200) {
    const body = await readWhole(from.response.body);
    const fault = replyFault(wire, from, body);
    return fault === undefined ? toRefusal(from.response, body) : unreachable(fault);
  }
  const sha256 = await writeWhole(from.response.body, to);
  if (sha256 === undefined) return unreachable("answer-too-long");
  const fault = replyFault(wire, from, { sha256 });
  return fault === undefined ? { kind: "ok", value: { sha256 } } : unreachable(fault);
}

type Exchange = { response: Dispatcher.ResponseData; requestSignature: string };

async function exchange({ agent, pins, now }: Wire, call: DeskCall): Promise<Exchange> {
  const body = call.body === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(call.body));
  const signed = signRequest({
    method: call.method,
    targetUri: pins.deskUrl + call.path,
    body,
    keyid: call.key.id,
    sign: call.key.sign,
    now: now(),
    lifetimeSeconds: LIFETIME_SECONDS,
    nonce: randomBytes(NONCE_LENGTH),
  });
  const content = call.body === undefined ? {} : { body, headers: { ...signed, "content-type": "application/json" } };
  const response = await agent.request({
    origin: pins.deskUrl,
    path: call.path,
    method: call.method,
    headers: { ...signed },
    ...content,
  });
  return { response, requestSignature: signed.signature };
}

/** Why this is no reply of the desk to that request; nothing where it is one. */
function replyFault(
  { pins, now }: Wire,
  { response, requestSignature }: Exchange,
  body: Uint8Array | { sha256: Uint8Array },
): UnreachableReason | undefined {
  const verdict = verifyReply(
    { status: response.statusCode, headers: singleHeaders(response.headers), body },
    { requestSignature, publicKeyFor: pins.replyKeyFor, now: now() },
  );
  if (verdict.ok) return undefined;
  if (verdict.code === "stale") return "clock-differs";
  return verdict.code === "unsigned" ? "reply-unsigned" : "reply-not-authentic";
}

const unreachable = (why: UnreachableReason): { kind: "unreachable"; why: UnreachableReason } => ({
  kind: "unreachable",
  why,
});

async function reaching<T>(work: () => Promise<DeskAnswer<T>>): Promise<DeskAnswer<T>> {
  try {
    return await work();
  } catch (cause) {
    // RangeError is ours: a request that the profile cannot hold. A full disk must not pass for an absent desk either.
    if (cause instanceof RangeError) throw cause;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOSPC" || code === "EACCES" || code === "EEXIST") throw cause;
    return unreachable("no-connection");
  }
}

function singleHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}

async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Nothing for what is longer than it may be: the rest of it is not taken. */
async function writeWhole(
  body: NodeJS.ReadableStream,
  { file, maxBytes }: { file: string; maxBytes: number },
): Promise<Uint8Array | undefined> {
  const hash = createHash("sha256");
  let length = 0;
  const hashing = new Transform({
    transform: (chunk: Uint8Array, _encoding, done) => {
      length += chunk.length;
      if (length > maxBytes) return done(new RangeError("longer than it may be"));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(body, hashing, createWriteStream(file, { flags: "wx", mode: 0o600, flush: true }));
  } catch (cause) {
    if (length > maxBytes) return undefined;
    throw cause;
  }
  return hash.digest();
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

function toRefusal(response: Dispatcher.ResponseData, body: Uint8Array): DeskAnswer<never> {
  const problem = problemSchema.safeParse(parseJson(body));
  if (!problem.success || !isRefusalCode(problem.data.code)) return unreachable("answer-malformed");
  const seconds = Number(singleHeaders(response.headers)["retry-after"] ?? Number.NaN);
  const isUsable = Number.isFinite(seconds) && seconds >= 0;
  return {
    kind: "refused",
    code: problem.data.code,
    retryAfterSeconds: isUsable ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined,
  };
}
