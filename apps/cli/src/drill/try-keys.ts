import { createCipheriv, createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { leafHash } from "@tipstaff/ledger";
import {
  type OrderManifest,
  orderManifestSchema,
  type ReleaseAnswer,
  type ReleaseRequest,
  releaseAnswerSchema,
  releaseIdentity,
  releaseInfo,
  releaseRequestSchema,
} from "@tipstaff/release-protocol";
import { encodeJobContext, openJob } from "@tipstaff/sealing";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from "hpke";
import { z } from "zod";
import { windowsOf } from "./windows.ts";

const SAMPLED_JOBS = 8;
const RELEASE_MARKS = ['{"version":1,', '{"outcome":"released"'];
const BLOCK_BYTES = 16;
/** The counter under which AES-GCM encrypts its first block, after the 12-byte nonce (NIST SP 800-38D, 7.1). */
const FIRST_COUNTER = Buffer.from([0, 0, 0, 2]);
const BRACE = 0x7b;
const MOST_SEEDS = 50_000;
const MOST_RECORDED = 10_000;
const LONGEST_LINE_BYTES = 64 << 20;
export const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

/** A manifest may name 47,000 jobs: only those sampled are read as jobs. */
const manyJobsSchema = z.looseObject({ jobs: z.array(z.unknown()) });

type SealedSample = { context: Uint8Array; sealed: Buffer };

/** Reads a few sealed jobs of an order file with the contexts that anybody can rebuild from its manifest. */
export function sampleJobs(orderFile: string): SealedSample[] {
  const handle = openSync(orderFile, "r");
  try {
    const head = readLines(handle);
    const whole = manyJobsSchema.parse(JSON.parse(head.first));
    const manifest = orderManifestSchema.parse({ ...whole, jobs: whole.jobs.slice(0, SAMPLED_JOBS) });
    return manifest.jobs.map((job) => {
      const sealed = Buffer.alloc(job.length);
      readSync(handle, sealed, 0, job.length, head.end + job.offset);
      return { context: contextOf(manifest, job), sealed };
    });
  } finally {
    closeSync(handle);
  }
}

function readLines(handle: number): { first: string; end: number } {
  const buffer = Buffer.allocUnsafe(LONGEST_LINE_BYTES);
  const length = readSync(handle, buffer, 0, buffer.length, 0);
  const first = buffer.subarray(0, length).indexOf("\n");
  const second = buffer.subarray(0, length).indexOf("\n", first + 1);
  if (first < 0 || second < 0) throw new Error("an order file has two lines before its ciphertexts");
  return { first: buffer.subarray(0, first).toString("utf8"), end: second + 1 };
}

function contextOf(manifest: OrderManifest, job: OrderManifest["jobs"][number]): Uint8Array {
  return encodeJobContext({
    force: manifest.force,
    recipient: manifest.recipient,
    order: manifest.order,
    job: job.job,
    agreementDigest: manifest.agreement,
    templateDigest: job.templateDigest,
    categories: job.categories,
  });
}

/**
 * How many of these jobs do the secrets open? A payload begins with a small length and a JSON object, so that one block of
 * each shows whether a key can be right; what fits is then really opened.
 */
export function openWithContentKeys(samples: readonly SealedSample[], secrets: readonly Buffer[]): number {
  const counters = Buffer.concat(samples.map(({ sealed }) => Buffer.concat([sealed.subarray(0, 12), FIRST_COUNTER])));
  const opened = new Set<SealedSample>();
  for (const secret of secrets) {
    const blocks = createCipheriv("aes-256-ecb", secret, null).setAutoPadding(false).update(counters);
    for (const [place, sample] of samples.entries()) {
      const [block, sealed] = [blocks.subarray(place * BLOCK_BYTES), sample.sealed.subarray(12)];
      const fits = block[0] === sealed[0] && block[1] === sealed[1] && ((block[4] ?? 0) ^ (sealed[4] ?? 0)) === BRACE;
      if (fits && opensJob(sample, secret)) opened.add(sample);
    }
  }
  return opened.size;
}

function opensJob({ context, sealed }: SealedSample, contentKey: Buffer): boolean {
  try {
    openJob({ contentKey, context, sealed });
    return true;
  } catch {
    return false;
  }
}

/** What a seed is tried on: as little of each exchange as is needed, for there are thousands. */
export type RecordedRelease = { half: string; enc: Buffer; sealed: Buffer; info: Uint8Array };
type RecordedRequest = Pick<ReleaseRequest, "attempt" | "key"> & { identity: Uint8Array };

/** Release requests and answers as they stand in recorded traffic, the first ten thousand; however long it is. */
export function recordedReleases(recording: string): RecordedRelease[] {
  const requests = new Map<string, RecordedRequest>();
  const releases = new Map<string, RecordedRelease>();
  for (const window of windowsOf(recording)) {
    if (!RELEASE_MARKS.some((mark) => window.includes(mark))) continue;
    const text = window.toString("latin1");
    for (const [body] of text.matchAll(/\{"version":1,[^{}]*"key":"[^{}]*\}/g)) {
      const parsed = releaseRequestSchema.safeParse(JSON.parse(body));
      if (!parsed.success) continue;
      const { job, attempt, key } = parsed.data;
      requests.set(`${job}/${attempt}`, { attempt, key, identity: releaseIdentity(parsed.data) });
    }
    for (const match of text.matchAll(/\{"outcome":"released"/g)) {
      const answer = releaseAnswerSchema.safeParse(readJson(text, match.index));
      const name = answer.success ? `${answer.data.job}/${answer.data.attempt}` : "";
      const request = requests.get(name);
      if (answer.success && request) releases.set(name, toRecorded(request, answer.data));
    }
    if (releases.size >= MOST_RECORDED) break;
  }
  return [...releases.values()];
}

function toRecorded(request: RecordedRequest, answer: ReleaseAnswer): RecordedRelease {
  const [enc, sealed] = [Buffer.from(answer.enc, "base64url"), Buffer.from(answer.sealed, "base64url")];
  return { half: x25519Half(request.key), enc, sealed, info: infoOf(request, answer) };
}

/** Reads one JSON object out of a longer text. */
function readJson(text: string, from: number): unknown {
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length && at < from + (1 << 20); at += 1) {
    const letter = text[at];
    if (inString) {
      if (letter === "\\") at += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === "{") depth += 1;
    else if (letter === "}" && --depth === 0) return JSON.parse(text.slice(from, at + 1));
  }
  return undefined;
}

/** The HPKE info of a release, which anybody on the wire can compute. */
export function infoOf(
  request: Omit<RecordedRequest, "key">,
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

/**
 * Tries each secret as the seed of a one-time X-Wing key. The X25519 half of the public key, which stands in the request,
 * shows at once whether a seed is the right one (draft-connolly-cfrg-xwing-kem, 5.2); the answer is then really opened.
 */
export async function openWithSeeds(releases: readonly RecordedRelease[], secrets: readonly Buffer[]): Promise<number> {
  const byHalf = new Map(releases.map((release) => [release.half, release]));
  let opened = 0;
  for (const secret of secrets.slice(0, MOST_SEEDS)) {
    const release = byHalf.get(x25519PublicOf(secret));
    if (release === undefined) continue;
    const { enc, sealed, info } = release;
    const key = await suite.DeserializePrivateKey(secret);
    const content = await suite.Open(key, enc, sealed, { info }).catch(() => undefined);
    if (content) opened += 1;
  }
  return opened;
}

const X25519_BYTES = 32;
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

const x25519Half = (key: string): string => Buffer.from(key, "base64url").subarray(-X25519_BYTES).toString("base64url");

function x25519PublicOf(seed: Buffer): string {
  const expanded = createHash("shake256", { outputLength: 96 }).update(seed).digest();
  const der = Buffer.concat([PKCS8_X25519, expanded.subarray(64)]);
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return publicKey.export({ format: "der", type: "spki" }).subarray(-X25519_BYTES).toString("base64url");
}
