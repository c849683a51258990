import type { RawRequest } from "./bureau-messages.ts";
import { equalBytes, type KeyObject, sha256, verifyEd25519 } from "./crypto.ts";
import { decode } from "./encoding.ts";
import {
  encodeContentDigest,
  encodeSignature,
  isKeyId,
  LABEL,
  parseContentDigest,
  parseSignature,
} from "./http-fields.ts";
import type { RefusalCode } from "./refusals.ts";
import { signatureBase } from "./signature-base.ts";

/** Longest life of a signed request, in seconds. */
export const MAX_LIFETIME_SECONDS = 120;
/** How far two clocks may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 60;
/** Bytes of a nonce. */
export const NONCE_LENGTH = 16;

const COVERED = '("@method" "@target-uri" "content-digest")';
const TAG = "tipstaff-request/1";
const METHOD = /^[A-Z]{1,8}$/;
const TARGET = /^https?:\/\/[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,2000}$/;
const INPUT =
  /^tipstaff=(\("@method" "@target-uri" "content-digest"\);created=([1-9]\d{0,10});expires=([1-9]\d{0,10});nonce="([A-Za-z0-9_-]{22})";keyid="([A-Za-z0-9][A-Za-z0-9._-]{0,63})";alg="ed25519";tag="tipstaff-request\/1")$/;

/** The three fields that a signed message carries; names in lower case. */
export type SignedHeaders = {
  readonly "content-digest": string;
  readonly "signature-input": string;
  readonly signature: string;
};

export type RequestToSign = {
  readonly method: string;
  /** Absolute, as the server will see it (RFC 9421, section 2.2.2). */
  readonly targetUri: string;
  /** Empty where there is no content. */
  readonly body: Uint8Array;
  readonly keyid: string;
  /** Ed25519 over the given bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly now: Date;
  /** From 1 to 120. */
  readonly lifetimeSeconds: number;
  /** 16 fresh random bytes. */
  readonly nonce: Uint8Array;
};

export type VerifiedRequest =
  | {
      readonly ok: true;
      readonly keyid: string;
      /** base64url, 22 characters: to be remembered until `expires` + the clock skew, and refused when seen again. */
      readonly nonce: string;
      /** Unix seconds. */
      readonly created: number;
      /** Unix seconds. */
      readonly expires: number;
    }
  | { readonly ok: false; readonly code: RefusalCode };

const refuse = (code: RefusalCode): VerifiedRequest => ({ ok: false, code });

/**
 * Signs a request by the protocol's profile of RFC 9421 (docs/spec/release-protocol.md, section 1).
 * @throws RangeError for a part that the profile cannot hold.
 */
export const signRequest = (request: RequestToSign): SignedHeaders => {
  const { method, targetUri, body, keyid, lifetimeSeconds, nonce } = request;
  if (!METHOD.test(method)) throw new RangeError("method: capital letters");
  if (!TARGET.test(targetUri)) throw new RangeError("targetUri: an absolute http URI without fragment");
  if (!isKeyId(keyid)) throw new RangeError("keyid: letters, digits, dot, hyphen and underscore");
  if (nonce.length !== NONCE_LENGTH) throw new RangeError(`nonce: ${NONCE_LENGTH} bytes`);
  if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > MAX_LIFETIME_SECONDS) {
    throw new RangeError(`lifetimeSeconds: from 1 to ${MAX_LIFETIME_SECONDS}`);
  }
  const created = Math.floor(request.now.getTime() / 1000);
  const nonceText = Buffer.from(nonce).toString("base64url");
  const params = `${COVERED};created=${created};expires=${created + lifetimeSeconds};nonce="${nonceText}";keyid="${keyid}";alg="ed25519";tag="${TAG}"`;
  const contentDigest = encodeContentDigest(body);
  const signature = request.sign(baseOf({ method, targetUri, contentDigest, params }));
  return {
    "content-digest": contentDigest,
    "signature-input": `${LABEL}=${params}`,
    signature: encodeSignature(signature),
  };
};

const baseOf = (parts: { method: string; targetUri: string; contentDigest: string; params: string }): Uint8Array =>
  signatureBase(
    [
      { identifier: '"@method"', value: parts.method },
      { identifier: '"@target-uri"', value: parts.targetUri },
      { identifier: '"content-digest"', value: parts.contentDigest },
    ],
    parts.params,
  );

export type RequestVerification = {
  readonly publicKeyFor: (keyid: string) => KeyObject | undefined;
  readonly now: Date;
  readonly clockSkewSeconds?: number;
  /** For a request kept as evidence that is decided later: it may have expired since. */
  readonly ignoreExpiry?: boolean;
};

/**
 * Verifies a request exactly as `signRequest` makes it; any component or parameter less, more, changed or moved is
 * refused: `unsigned` without signature fields, `malformed` where they are not of the profile, `unknown-key`,
 * `bad-signature` (also a body of another digest), `stale`. Whether the nonce was seen before is the caller's to check.
 * Never throws.
 */
export const verifyRequest = (raw: RawRequest, options: RequestVerification): VerifiedRequest => {
  const header = (name: string): string | undefined =>
    Object.hasOwn(raw.headers, name) ? raw.headers[name] : undefined;
  const [input, signatureField, digestField] = [
    header("signature-input"),
    header("signature"),
    header("content-digest"),
  ];
  if (input === undefined || signatureField === undefined) return refuse("unsigned");
  const body = decode(raw.body, "base64url");
  const digest = parseContentDigest(digestField ?? "");
  const signature = parseSignature(signatureField);
  const [, params, created, expires, nonce, keyid] = INPUT.exec(input) ?? [];
  if (digestField === undefined || digest === undefined || body === undefined || signature === undefined) {
    return refuse("malformed");
  }
  if (params === undefined || nonce === undefined || keyid === undefined) return refuse("malformed");
  if (decode(nonce, "base64url") === undefined) return refuse("malformed");
  if (!METHOD.test(raw.method) || !TARGET.test(raw.targetUri)) return refuse("malformed");
  const life = { created: Number(created), expires: Number(expires) };
  if (life.expires <= life.created || life.expires - life.created > MAX_LIFETIME_SECONDS) return refuse("malformed");

  const key = options.publicKeyFor(keyid);
  if (key === undefined) return refuse("unknown-key");
  const base = baseOf({ method: raw.method, targetUri: raw.targetUri, contentDigest: digestField, params });
  if (!equalBytes(digest, sha256(body)) || !verifyEd25519(key, base, signature)) return refuse("bad-signature");
  if (!isFresh(life, options)) return refuse("stale");
  return { ok: true, keyid, nonce, ...life };
};

const isFresh = (life: { created: number; expires: number }, options: RequestVerification): boolean => {
  const nowSeconds = options.now.getTime() / 1000;
  const skew = options.clockSkewSeconds ?? CLOCK_SKEW_SECONDS;
  return life.created <= nowSeconds + skew && (options.ignoreExpiry === true || nowSeconds <= life.expires + skew);
};
