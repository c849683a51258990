import { equalBytes, type KeyObject, verifyEd25519 } from "./crypto.ts";
import {
  type Content,
  digestOf,
  encodeContentDigest,
  encodeSignature,
  isKeyId,
  LABEL,
  parseContentDigest,
  parseSignature,
  signatureMember,
} from "./http-fields.ts";
import type { RefusalCode } from "./refusals.ts";
import { CLOCK_SKEW_SECONDS, MAX_LIFETIME_SECONDS, type SignedHeaders } from "./request-signature.ts";
import { signatureBase } from "./signature-base.ts";

const COVERED = '("@status" "content-digest" "signature";req;key="tipstaff")';
const TAG = "tipstaff-reply/1";
const INPUT =
  /^tipstaff=(\("@status" "content-digest" "signature";req;key="tipstaff"\);created=([1-9]\d{0,10});keyid="([A-Za-z0-9][A-Za-z0-9._-]{0,63})";alg="ed25519";tag="tipstaff-reply\/1")$/;

export type ReplyToSign = {
  readonly status: number;
  readonly body: Content;
  /** The `signature` field of the request that is answered. */
  readonly requestSignature: string;
  readonly keyid: string;
  /** Ed25519 over the given bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly now: Date;
};

/**
 * Signs a reply and binds it to its request (RFC 9421, section 2.4; docs/spec/release-protocol.md, section 1).
 * @throws RangeError for a part that the profile cannot hold; a request that was not signed gets no signed reply.
 */
export const signReply = (reply: ReplyToSign): SignedHeaders => {
  const { status, body, requestSignature, keyid } = reply;
  if (!isStatus(status)) throw new RangeError("status: a whole number from 100 to 599");
  if (!isKeyId(keyid)) throw new RangeError("keyid: letters, digits, dot, hyphen and underscore");
  const bound = signatureMember(requestSignature);
  if (bound === undefined) throw new RangeError("requestSignature: the signature field of a signed request");
  const params = `${COVERED};created=${Math.floor(reply.now.getTime() / 1000)};keyid="${keyid}";alg="ed25519";tag="${TAG}"`;
  const contentDigest = encodeContentDigest(body);
  const signature = reply.sign(baseOf({ status, contentDigest, bound, params }));
  return {
    "content-digest": contentDigest,
    "signature-input": `${LABEL}=${params}`,
    signature: encodeSignature(signature),
  };
};

const isStatus = (status: number): boolean => Number.isInteger(status) && status >= 100 && status <= 599;

const baseOf = (parts: { status: number; contentDigest: string; bound: string; params: string }): Uint8Array =>
  signatureBase(
    [
      { identifier: '"@status"', value: String(parts.status) },
      { identifier: '"content-digest"', value: parts.contentDigest },
      { identifier: '"signature";req;key="tipstaff"', value: parts.bound },
    ],
    parts.params,
  );

export type ReceivedReply = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Content;
};

export type VerifiedReply = { readonly ok: true } | { readonly ok: false; readonly code: RefusalCode };

/**
 * Verifies that a reply is the pinned desk's answer to this very request; codes as `verifyRequest`. `stale` when it was
 * signed further from now than a request may live and clocks may differ. Never throws.
 */
export const verifyReply = (
  reply: ReceivedReply,
  options: {
    readonly requestSignature: string;
    readonly publicKeyFor: (keyid: string) => KeyObject | undefined;
    readonly now: Date;
  },
): VerifiedReply => {
  const refuse = (code: RefusalCode): VerifiedReply => ({ ok: false, code });
  const header = (name: string) => (Object.hasOwn(reply.headers, name) ? reply.headers[name] : undefined);
  const [input, signatureField, digestField] = [
    header("signature-input"),
    header("signature"),
    header("content-digest"),
  ];
  if (input === undefined || signatureField === undefined) return refuse("unsigned");
  const digest = parseContentDigest(digestField ?? "");
  const signature = parseSignature(signatureField);
  const bound = signatureMember(options.requestSignature);
  const [, params, created, keyid] = INPUT.exec(input) ?? [];
  if (digestField === undefined || digest === undefined || signature === undefined || bound === undefined) {
    return refuse("malformed");
  }
  if (params === undefined || keyid === undefined || !isStatus(reply.status)) return refuse("malformed");

  const key = options.publicKeyFor(keyid);
  if (key === undefined) return refuse("unknown-key");
  const base = baseOf({ status: reply.status, contentDigest: digestField, bound, params });
  if (!equalBytes(digest, digestOf(reply.body)) || !verifyEd25519(key, base, signature)) return refuse("bad-signature");
  const age = options.now.getTime() / 1000 - Number(created);
  const isFresh = age >= -CLOCK_SKEW_SECONDS && age <= MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS;
  return isFresh ? { ok: true } : refuse("stale");
};
