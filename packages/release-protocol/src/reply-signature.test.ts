import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePublicKey } from "./crypto.ts";
import { encodeSignature } from "./http-fields.ts";
import { type ReceivedReply, signReply, verifyReply } from "./reply-signature.ts";
import { signatureBase } from "./signature-base.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/messages.json", import.meta.url), "utf8"));
const PKCS8 = "302e020100300506032b657004220420";
const { privateKey } = generateKeyPairSync("ed25519");
const publicKey = createPublicKey(privateKey);
const now = new Date("2026-03-01T09:00:00.000Z");
const requestSignature = encodeSignature(Buffer.alloc(64, 1));
const body = Buffer.from('{"accepted":true}');
const signBytes = (bytes: Uint8Array) => sign(null, bytes, privateKey);

const reply = (): ReceivedReply => ({
  status: 200,
  body,
  headers: { ...signReply({ status: 200, body, requestSignature, keyid: "desk-reply", sign: signBytes, now }) },
});
const options = {
  requestSignature,
  publicKeyFor: (keyid: string) => (keyid === "desk-reply" ? publicKey : undefined),
  now,
};

describe("verifyReply()", () => {
  it("agrees with the vectors", () => {
    const { seed, publicKey: pinned, request, reply: expected } = vectors;
    const key = createPrivateKey({ key: Buffer.from(PKCS8 + seed, "hex"), format: "der", type: "pkcs8" });
    const at = new Date(expected.now);
    const bound = request.headers.signature;
    const bytes = Buffer.from(expected.body);
    const made = signReply({
      ...expected,
      body: bytes,
      now: at,
      requestSignature: bound,
      sign: (b) => sign(null, b, key),
    });
    expect(made).toEqual(expected.headers);
    const pins = { requestSignature: bound, publicKeyFor: () => parsePublicKey(pinned), now: at };
    expect(verifyReply({ ...expected, body: bytes }, pins)).toEqual({ ok: true });
  });

  it("accepts what signReply() made", () => expect(verifyReply(reply(), options)).toEqual({ ok: true }));

  it("takes the digest of a file in the place of its bytes, both ways", () => {
    const sha256 = createHash("sha256").update(body).digest();
    const parts = { status: 200, requestSignature, keyid: "desk-reply", sign: signBytes, now };
    expect(signReply({ ...parts, body: { sha256 } })).toEqual(signReply({ ...parts, body }));
    expect(verifyReply({ ...reply(), body: { sha256 } }, options)).toEqual({ ok: true });
    expect(verifyReply({ ...reply(), body: { sha256: Buffer.alloc(32) } }, options).ok).toBe(false);
  });

  it.each([
    ["status", { status: 201 }],
    ["body", { body: Buffer.from("{}") }],
  ])("refuses another %s than the signed one", (_what, change) => {
    expect(verifyReply({ ...reply(), ...change }, options)).toEqual({ ok: false, code: "bad-signature" });
  });

  it("refuses the reply to another request", () => {
    const other = encodeSignature(Buffer.alloc(64, 2));
    expect(verifyReply(reply(), { ...options, requestSignature: other })).toEqual({ ok: false, code: "bad-signature" });
  });

  it("refuses an unsigned reply, whatever its status", () => {
    expect(verifyReply({ status: 503, body, headers: {} }, options)).toEqual({ ok: false, code: "unsigned" });
  });

  it("refuses a reply by a key that is not pinned", () => {
    expect(verifyReply(reply(), { ...options, publicKeyFor: () => undefined })).toEqual({
      ok: false,
      code: "unknown-key",
    });
  });

  it.each([
    [-61, false],
    [-60, true],
    [180, true],
    [181, false],
  ])("%d s after its making a reply is fresh: %s", (seconds, ok) => {
    const at = new Date(now.getTime() + seconds * 1000);
    expect(verifyReply(reply(), { ...options, now: at })).toEqual(ok ? { ok } : { ok, code: "stale" });
  });

  it("refuses a reply that does not cover its request, even signed so", () => {
    const { headers } = reply();
    const params = `("@status" "content-digest");created=${now.getTime() / 1000};keyid="desk-reply";alg="ed25519";tag="tipstaff-reply/1"`;
    const base = signatureBase(
      [
        { identifier: '"@status"', value: "200" },
        { identifier: '"content-digest"', value: headers["content-digest"] ?? "" },
      ],
      params,
    );
    const forged = {
      ...headers,
      "signature-input": `tipstaff=${params}`,
      signature: encodeSignature(signBytes(base)),
    };
    expect(verifyReply({ status: 200, body, headers: forged }, options)).toEqual({ ok: false, code: "malformed" });
  });

  it("refuses any single changed character of any header", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("signature-input", "signature", "content-digest"),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1, unit: "binary-ascii" }),
        (name, place, character) => {
          const genuine = reply();
          const value = genuine.headers[name] ?? "";
          const at = place % value.length;
          const changed = value.slice(0, at) + character + value.slice(at + 1);
          fc.pre(changed !== value);
          const headers = { ...genuine.headers, [name]: changed };
          expect(verifyReply({ ...genuine, headers }, options).ok).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("signReply()", () => {
  it("refuses to answer a request without signature", () => {
    const parts = { status: 200, body, keyid: "desk-reply", sign: signBytes, now };
    expect(() => signReply({ ...parts, requestSignature: "" })).toThrow(RangeError);
    expect(() => signReply({ ...parts, requestSignature, status: 99 })).toThrow(RangeError);
    expect(() => signReply({ ...parts, requestSignature, keyid: "a b" })).toThrow(RangeError);
  });
});
