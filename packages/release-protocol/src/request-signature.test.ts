import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RawRequest } from "./bureau-messages.ts";
import { parsePublicKey } from "./crypto.ts";
import { signRequest, verifyRequest } from "./request-signature.ts";
import { signatureBase } from "./signature-base.ts";

type Vectors = {
  seed: string;
  publicKey: string;
  request: {
    method: string;
    targetUri: string;
    body: string;
    keyid: string;
    now: string;
    lifetimeSeconds: number;
    nonce: string;
    headers: Record<string, string>;
  };
};
const vectors: Vectors = JSON.parse(readFileSync(new URL("../vectors/messages.json", import.meta.url), "utf8"));
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const keyOf = (seed: Buffer) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
const privateKey = keyOf(Buffer.from(vectors.seed, "hex"));
const publicKey = createPublicKey(privateKey);
const signBytes = (bytes: Uint8Array) => sign(null, bytes, privateKey);
const now = new Date("2026-03-01T09:00:00.000Z");

const body = Buffer.from('{"version":1}');
const signed = (changes: Partial<Parameters<typeof signRequest>[0]> = {}): RawRequest => {
  const request = {
    method: "POST",
    targetUri: "http://127.0.0.1:8080/v1/releases",
    body,
    keyid: "cardmaker-requests",
    sign: signBytes,
    now,
    lifetimeSeconds: 60,
    nonce: Buffer.alloc(16, 7),
    ...changes,
  };
  const { method, targetUri } = request;
  return {
    method,
    targetUri,
    headers: { ...signRequest(request) },
    body: Buffer.from(request.body).toString("base64url"),
  };
};
const options = { publicKeyFor: (keyid: string) => (keyid === "cardmaker-requests" ? publicKey : undefined), now };
const verify = (raw: RawRequest, changes = {}) => verifyRequest(raw, { ...options, ...changes });
const withHeader = (name: string, change: (value: string) => string): RawRequest => {
  const raw = signed();
  return { ...raw, headers: { ...raw.headers, [name]: change(raw.headers[name] ?? "") } };
};
/** Signed for real over whatever parameters the test invents. */
const signedInput = (params: string, components = ["@method", "@target-uri", "content-digest"]): RawRequest => {
  const raw = signed();
  const values: Record<string, string> = {
    "@method": raw.method,
    "@target-uri": raw.targetUri,
    "content-digest": raw.headers["content-digest"] ?? "",
    "@authority": "127.0.0.1:8080",
  };
  const covered = components.map((name) => ({ identifier: `"${name}"`, value: values[name] ?? "" }));
  const whole = `(${components.map((name) => `"${name}"`).join(" ")})${params}`;
  const signature = signBytes(signatureBase(covered, whole)).toString("base64");
  return {
    ...raw,
    headers: { ...raw.headers, "signature-input": `tipstaff=${whole}`, signature: `tipstaff=:${signature}:` },
  };
};
const created = now.getTime() / 1000;
const PARAMS = [
  `;created=${created}`,
  `;expires=${created + 60}`,
  ';nonce="BwcHBwcHBwcHBwcHBwcHBw"',
  ';keyid="cardmaker-requests"',
  ';alg="ed25519"',
  ';tag="tipstaff-request/1"',
];

describe("signature base", () => {
  it("is that of RFC 9421, appendix B.2.6", () => {
    const base = signatureBase(
      [
        { identifier: '"date"', value: "Tue, 20 Apr 2021 02:07:55 GMT" },
        { identifier: '"@method"', value: "POST" },
        { identifier: '"@path"', value: "/foo" },
        { identifier: '"@authority"', value: "example.com" },
        { identifier: '"content-type"', value: "application/json" },
        { identifier: '"content-length"', value: "18" },
      ],
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    );
    const rfcKey = createPrivateKey({
      key: Buffer.from("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF", "base64"),
      format: "der",
      type: "pkcs8",
    });
    expect(sign(null, base, rfcKey).toString("base64")).toBe(
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    );
  });
});

describe("verifyRequest()", () => {
  it("accepts what signRequest() made", () => {
    expect(verify(signed())).toEqual({
      ok: true,
      keyid: "cardmaker-requests",
      nonce: "BwcHBwcHBwcHBwcHBwcHBw",
      created,
      expires: created + 60,
    });
    expect(verify(signed({ method: "GET", body: Buffer.alloc(0) })).ok).toBe(true);
    expect(verify(signedInput(PARAMS.join(""))).ok).toBe(true);
  });

  it("agrees with the vectors", () => {
    const { request } = vectors;
    const key = parsePublicKey(vectors.publicKey);
    const nonce = Buffer.from(request.nonce, "hex");
    const remade = signRequest({
      ...request,
      now: new Date(request.now),
      nonce,
      body: Buffer.from(request.body),
      sign: signBytes,
    });
    expect(remade).toEqual(request.headers);
    const raw = { ...request, body: Buffer.from(request.body).toString("base64url") };
    expect(verifyRequest(raw, { publicKeyFor: () => key, now: new Date(request.now) }).ok).toBe(true);
  });

  it.each(["signature", "signature-input"])("refuses a request without %s as unsigned", (name) => {
    const { [name]: _gone, ...headers } = signed().headers;
    expect(verify({ ...signed(), headers })).toEqual({ ok: false, code: "unsigned" });
  });

  it("refuses a request without a digest of its content", () => {
    const { "content-digest": _gone, ...headers } = signed().headers;
    expect(verify({ ...signed(), headers })).toEqual({ ok: false, code: "malformed" });
  });

  it("does not take a header from the object's prototype", () => {
    expect(verify({ ...signed(), headers: Object.create(signed().headers) })).toEqual({ ok: false, code: "unsigned" });
  });

  it.each([
    ["method", { method: "GET" }],
    ["target", { targetUri: "http://127.0.0.1:8080/v1/receipts" }],
    ["query", { targetUri: "http://127.0.0.1:8080/v1/releases?x" }],
    ["body", { body: Buffer.from('{"version":2}').toString("base64url") }],
    ["emptied body", { body: "" }],
  ])("refuses another %s than the signed one", (_what, change) => {
    expect(verify({ ...signed(), ...change })).toEqual({ ok: false, code: "bad-signature" });
  });

  it.each([
    ["method in small letters", { method: "post" }],
    ["target with a newline", { targetUri: 'http://a/\n"@method": GET' }],
    ["target with a fragment", { targetUri: "http://127.0.0.1/v1#x" }],
    ["target that is a path", { targetUri: "/v1/releases" }],
    ["body that is not base64url", { body: "****" }],
    ["body with padding", { body: "eA==" }],
  ])("refuses a %s as malformed", (_what, change) => {
    expect(verify({ ...signed(), ...change })).toEqual({ ok: false, code: "malformed" });
  });

  it.each(PARAMS.map((param, place) => [param.slice(1, param.indexOf("=")), place] as const))(
    "refuses a signature without %s, even a valid one",
    (_name, place) => {
      expect(verify(signedInput(PARAMS.filter((_, at) => at !== place).join("")))).toEqual({
        ok: false,
        code: "malformed",
      });
    },
  );

  it("refuses parameters in any other order, even signed so", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(PARAMS, { minLength: PARAMS.length }), (order) => {
        const isSame = order.every((param, at) => param === PARAMS[at]);
        expect(verify(signedInput(order.join(""))).ok).toBe(isSame);
      }),
    );
  });

  it.each([
    [["@method", "@target-uri"]],
    [["@method", "content-digest"]],
    [["@target-uri", "content-digest"]],
    [["@target-uri", "@method", "content-digest"]],
    [["@method", "@target-uri", "content-digest", "@authority"]],
    [["@method", "@method", "@target-uri", "content-digest"]],
    [[]],
  ])("refuses a valid signature that covers %j", (components) => {
    expect(verify(signedInput(PARAMS.join(""), components))).toEqual({ ok: false, code: "malformed" });
  });

  it.each([
    ["another algorithm", ';alg="ed25519"', ';alg="hmac-sha256"'],
    ["another tag", "tipstaff-request/1", "tipstaff-reply/1"],
    ["a further parameter", ';alg="ed25519"', ';alg="ed25519";x=1'],
    ["a parameter twice", ';alg="ed25519"', ';alg="ed25519";alg="ed25519"'],
    ["a leading zero", `created=${created}`, `created=0${created}`],
    ["a decimal", `created=${created}`, `created=${created}.0`],
    ["a negative instant", `created=${created}`, `created=-${created}`],
    ["an instant as a string", `created=${created}`, `created="${created}"`],
    ["a short nonce", "BwcHBwcHBwcHBwcHBwcHBw", "BwcHBwcHBwcHBwcHBwcH"],
    ["a nonce of non-canonical base64url", "BwcHBwcHBwcHBwcHBwcHBw", "BwcHBwcHBwcHBwcHBwcHBx"],
    ["an escaped key id", "cardmaker-requests", 'cardmaker\\"requests'],
    ["an empty key id", "cardmaker-requests", ""],
    ["a space", ";created", "; created"],
    ["a trailing space", 'tag="tipstaff-request/1"', 'tag="tipstaff-request/1" '],
    ["a life over 120 s", `expires=${created + 60}`, `expires=${created + 121}`],
    ["no life", `expires=${created + 60}`, `expires=${created}`],
  ])("refuses %s, even signed so", (_what, from, to) => {
    expect(verify(signedInput(PARAMS.join("").replace(from, to)))).toEqual({ ok: false, code: "malformed" });
  });

  it.each([
    ["signature-input", (value: string) => `${value}, ${value}`],
    ["signature-input", (value: string) => value.replace("tipstaff=", "sig1=")],
    ["signature", (value: string) => `${value}, ${value}`],
    ["signature", (value: string) => value.replace("tipstaff=", "sig1=")],
    ["signature", (value: string) => value.replaceAll(":", "")],
    ["signature", (value: string) => value.replace("==:", ":")],
    ["signature", () => ""],
    ["content-digest", (value: string) => `${value}, ${value}`],
    ["content-digest", (value: string) => value.replace("sha-256", "sha-512")],
    ["content-digest", (value: string) => `${value};x`],
  ])("refuses another form of %s", (name, change) => {
    expect(verify(withHeader(name, change))).toEqual({ ok: false, code: "malformed" });
  });

  it("refuses a key that the agreement does not name, or that is another's", () => {
    expect(verify(signed({ keyid: "somebody-else" }))).toEqual({ ok: false, code: "unknown-key" });
    const other = createPublicKey(keyOf(Buffer.alloc(32, 9)));
    expect(verify(signed(), { publicKeyFor: () => other })).toEqual({ ok: false, code: "bad-signature" });
  });

  it("refuses a key of another kind", () => {
    const x25519 = createPublicKey({
      key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), Buffer.alloc(32, 9)]),
      format: "der",
      type: "spki",
    });
    expect(verify(signed(), { publicKeyFor: () => x25519 })).toEqual({ ok: false, code: "bad-signature" });
  });

  it.each([
    [-61_000, false],
    [-60_000, true],
    [0, true],
    [60_000, true],
    [120_000, true],
    [120_001, false],
  ])("at %d ms after its making a request of 60 s is fresh: %s", (shift, ok) => {
    const verdict = verify(signed(), { now: new Date(now.getTime() + shift) });
    expect(verdict).toEqual(ok ? expect.objectContaining({ ok }) : { ok, code: "stale" });
  });

  it("lets evidence expire but never come from the future, when told to", () => {
    const later = new Date(now.getTime() + 86_400_000);
    expect(verify(signed(), { now: later, ignoreExpiry: true }).ok).toBe(true);
    const earlier = new Date(now.getTime() - 86_400_000);
    expect(verify(signed(), { now: earlier, ignoreExpiry: true })).toEqual({ ok: false, code: "stale" });
  });

  it("refuses any single changed character of any header", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("signature-input", "signature", "content-digest"),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1, unit: "binary-ascii" }),
        (name, place, character) => {
          const raw = withHeader(name, (value) => {
            const at = place % value.length;
            return value.slice(0, at) + character + value.slice(at + 1);
          });
          fc.pre(raw.headers[name] !== signed().headers[name]);
          expect(verify(raw).ok).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.record({
          method: fc.string(),
          targetUri: fc.string(),
          headers: fc.dictionary(fc.constantFrom("signature", "signature-input", "content-digest"), fc.string()),
          body: fc.string(),
        }),
        (raw) => {
          expect(verify(raw).ok).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("signRequest()", () => {
  it.each([
    { method: "get" },
    { targetUri: "/v1" },
    { keyid: 'x"' },
    { nonce: Buffer.alloc(15) },
    { lifetimeSeconds: 0 },
    { lifetimeSeconds: 121 },
    { lifetimeSeconds: 1.5 },
  ])("refuses %j, which the profile cannot hold", (change) => {
    expect(() => signed(change)).toThrow(RangeError);
  });
});
