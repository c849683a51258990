import {
  type RawRequest,
  type ReleaseRequest,
  releaseIdentity,
  releaseRequestSchema,
} from "@tipstaff/release-protocol";

/** A release that a bureau asks for, as it came and as it was read. */
export type AskedRelease = {
  readonly raw: RawRequest;
  readonly request: ReleaseRequest;
  /** Hex: the same for every retry. */
  readonly identity: string;
};

/** Reads the body of a signed request; undefined when it is no release request of this signer. */
export function readAskedRelease(signed: {
  raw: RawRequest;
  body: Buffer;
  recipient: string;
}): AskedRelease | undefined {
  const parsed = releaseRequestSchema.safeParse(parseJson(signed.body));
  if (!parsed.success || parsed.data.recipient !== signed.recipient) return undefined;
  const request = parsed.data;
  return { raw: signed.raw, request, identity: Buffer.from(releaseIdentity(request)).toString("hex") };
}

/** JSON out of bytes; undefined when it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
