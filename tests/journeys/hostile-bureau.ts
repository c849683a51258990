import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type SignedHeaders, signRequest } from "@tipstaff/release-protocol";
import type { Home, Settings } from "../../apps/cli/src/services/installation.ts";
import { within } from "./crash/within.ts";

const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const ANSWER_SECONDS = 30;
const LIFETIME_SECONDS = 60;

export type WireRequest = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
};
export type WireAnswer = {
  readonly status: number;
  readonly code: string | undefined;
  readonly type: string | null;
  readonly signed: boolean;
  readonly body: unknown;
};
export type Signing = {
  readonly keyid?: string;
  readonly key?: KeyObject;
  /** Seconds by which the request's clock is off. */
  readonly clockOff?: number;
};

/** Somebody at the contractor with the bureau's keys in hand, who sends whatever it likes. */
export function hostileBureau(home: Home, settings: Settings) {
  const url = `http://127.0.0.1:${settings.ports.desk}`;
  const keyOf = (use: string) => readSeed(join(home.bureau, "keys", `${use}.key`));
  const signed = (method: "GET" | "POST", path: string, content?: unknown, signing: Signing = {}): WireRequest => {
    const body = content === undefined ? undefined : JSON.stringify(content);
    const key = signing.key ?? keyOf("requests");
    const headers: SignedHeaders = signRequest({
      ...{ method, targetUri: url + path, lifetimeSeconds: LIFETIME_SECONDS, nonce: randomBytes(16) },
      body: Buffer.from(body ?? ""),
      keyid: signing.keyid ?? `${settings.recipient}-requests`,
      sign: (bytes) => sign(null, bytes, key),
      now: new Date(Date.now() + (signing.clockOff ?? 0) * 1000),
    });
    return { method, path, headers: { ...headers }, ...(body === undefined ? {} : { body }) };
  };
  return { signed, keyOf, send: (request: WireRequest) => send(url, request) };
}

/** A release request that the schema accepts, for whatever job. */
export function releaseRequest(settings: Settings, more: Record<string, unknown>) {
  return {
    ...{ version: 1, recipient: settings.recipient, agreement: "00".repeat(32), attempt: 1, line: "line-1" },
    ...{ run: randomUUID(), order: randomUUID(), job: randomUUID(), previous: "00".repeat(32) },
    key: randomBytes(1216).toString("base64url"),
    ...more,
  };
}

export const strangersKey = (): KeyObject => generateKeyPairSync("ed25519").privateKey;

async function send(url: string, { method, path, body, headers }: WireRequest): Promise<WireAnswer> {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const asked = fetch(url + path, {
    method,
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const response = await within(ANSWER_SECONDS, `${method} ${path}`, asked);
  const text = await response.text();
  const value: unknown = text.startsWith("{") ? JSON.parse(text) : text;
  const code = typeof value === "object" && value !== null && "code" in value ? String(value.code) : undefined;
  return {
    ...{ status: response.status, code, body: value },
    type: response.headers.get("content-type"),
    signed: response.headers.has("signature"),
  };
}

function readSeed(file: string): KeyObject {
  const seed = Buffer.from(readFileSync(file, "utf8").trim(), "base64");
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}
