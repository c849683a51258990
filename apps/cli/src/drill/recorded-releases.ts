import { leafHash } from "@tipstaff/ledger";
import {
  type ReleaseAnswer,
  type ReleaseRequest,
  releaseAnswerSchema,
  releaseIdentity,
  releaseInfo,
  releaseRequestSchema,
} from "@tipstaff/release-protocol";
import { parseJson } from "../parse-json.ts";
import { windowBuffer, windowsOf } from "./windows.ts";

const REQUEST_MARK = '{"version":1,';
const ANSWER_MARK = '{"outcome":"released"';
const LONGEST_BYTES = 1 << 20;
const MOST_RECORDED = 10_000;
const X25519_BYTES = 32;

const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

/** What a seed is tried on: as little of each exchange as is needed, for there are thousands. `half`: see `x25519Half`. */
export type RecordedRelease = {
  readonly half: string;
  readonly enc: Buffer;
  readonly sealed: Buffer;
  readonly info: Uint8Array;
};
type RecordedRequest = { readonly attempt: number; readonly half: string; readonly identity: Uint8Array };

/** Release requests and answers as they stand in recorded traffic, the first ten thousand; however long it is. */
export function recordedReleases(recording: string): RecordedRelease[] {
  const requests = new Map<string, RecordedRequest>();
  const releases = new Map<string, RecordedRelease>();
  for (const window of windowsOf(recording, windowBuffer())) {
    for (const found of jsonAfter(window, REQUEST_MARK)) {
      const parsed = releaseRequestSchema.safeParse(found);
      if (parsed.success) requests.set(nameOf(parsed.data), toRequest(parsed.data));
    }
    for (const found of jsonAfter(window, ANSWER_MARK)) {
      const answer = releaseAnswerSchema.safeParse(found);
      const request = answer.success ? requests.get(nameOf(answer.data)) : undefined;
      if (answer.success && request) releases.set(nameOf(answer.data), toRecorded(request, answer.data));
    }
    if (releases.size >= MOST_RECORDED) break;
  }
  return [...releases.values()];
}

const nameOf = ({ job, attempt }: { job: string; attempt: number }): string => `${job}/${attempt}`;

const toRequest = (request: ReleaseRequest): RecordedRequest => ({
  attempt: request.attempt,
  half: x25519Half(request.key),
  identity: releaseIdentity(request),
});

/** The X25519 half of an X-Wing public key: its last 32 bytes (draft-connolly-cfrg-xwing-kem, 5.2). */
const x25519Half = (key: string): string => Buffer.from(key, "base64url").subarray(-X25519_BYTES).toString("base64url");

function toRecorded(request: RecordedRequest, answer: ReleaseAnswer): RecordedRelease {
  const [enc, sealed] = [Buffer.from(answer.enc, "base64url"), Buffer.from(answer.sealed, "base64url")];
  return { half: request.half, enc, sealed, info: infoOf(request, answer) };
}

/** The HPKE info of a release, which anybody on the wire can compute. */
export function infoOf(
  request: Omit<RecordedRequest, "half">,
  answer: Pick<ReleaseAnswer, "origin" | "index" | "leaf">,
): Uint8Array {
  return releaseInfo({
    attempt: request.attempt,
    identity: request.identity,
    origin: answer.origin,
    index: answer.index,
    leafHash: leafHash(Buffer.from(answer.leaf, "base64url")),
  });
}

/** Every JSON object that begins with the mark and stands whole in these bytes. */
function* jsonAfter(bytes: Buffer, mark: string): Generator<unknown> {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) {
    const end = endOfObject(bytes, at);
    if (end === undefined) continue;
    // Messages of both directions stand between each other: one that another cuts in two is none.
    const value = parseJson(bytes.toString("latin1", at, end));
    if (value !== undefined) yield value;
  }
}

/** The place after the object that begins here; `undefined` when it is too long or goes on beyond these bytes. */
function endOfObject(bytes: Buffer, from: number): number | undefined {
  let depth = 0;
  let inString = false;
  const end = Math.min(bytes.length, from + LONGEST_BYTES);
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN) depth += 1;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  return undefined;
}
