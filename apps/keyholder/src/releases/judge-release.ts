import { may } from "@tipstaff/agreement";
import {
  type EventField,
  isOpeningsOf,
  LedgerError,
  leafHash,
  openEvent,
  openSubject,
  parseLeaf,
  verifyInclusion,
  verifyOpening,
} from "@tipstaff/ledger";
import {
  type RawRequest,
  type RefusalCode,
  type ReleaseRequest,
  releaseDetail,
  releaseIdentity,
  releaseRequestSchema,
  verifyRequest,
} from "@tipstaff/release-protocol";
import { type DisclosureFacts, type PersonKeys, parseJobContext, SealingError, unwrapJobKey } from "@tipstaff/sealing";
import type { PinnedAgreement } from "../agreements/agreement-store.ts";
import { fromBase64url, toBase64url, toHex } from "../encoding.ts";
import { releaseFacts } from "../entries/release-facts.ts";
import type { WitnessedClaim } from "../witnesses/witness-policy.ts";
import { toSubject } from "./to-subject.ts";

/** What the desk shows for one release. Bytes decoded, nothing else believed. */
export type ReleaseEvidence = {
  readonly agreement: string;
  readonly request: RawRequest;
  readonly person: string;
  readonly wrapped: Uint8Array;
  readonly context: Uint8Array;
  readonly leaf: Uint8Array;
  readonly openings: Uint8Array;
  readonly index: number;
  readonly treeSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note of that tree. */
  readonly checkpoint: string | undefined;
};

/** What the keyholder knows by itself. */
export type ReleaseKnowledge = {
  readonly force: string;
  readonly logKey: Uint8Array;
  readonly pseudonymOf: (person: string) => string;
  readonly keysOf: (person: string) => PersonKeys | undefined;
  readonly agreementOf: (digest: string) => PinnedAgreement | undefined;
  /** Root of a checkpoint of this size that the keyholder signed. */
  readonly rootOf: (treeSize: number) => Uint8Array | undefined;
  /** Whether a quorum of the pinned witnesses cosigned that tree. */
  readonly isWitnessed: (claim: WitnessedClaim) => boolean;
  readonly now: Date;
};

type Revealed = { readonly field: string; readonly salt: string; readonly value: string };

/** All that does not depend on what else was released. `open` unwraps the content key, for as short as possible. */
type SoundRelease = {
  readonly ok: true;
  readonly request: ReleaseRequest;
  readonly identity: Uint8Array;
  readonly pinned: PinnedAgreement;
  readonly contentKey: Uint8Array;
  readonly entry: LoggedRelease;
};

/**
 * `undecided`: this is no evidence about a logged release, or it could not be sealed; nothing may be kept. `cancelled`: it is, and it is refused;
 * `identity` as far as the entry tells it.
 */
export type ReleaseJudgement =
  | SoundRelease
  | {
      readonly ok: false;
      readonly kind: "undecided";
      readonly code: "not-logged" | "not-witnessed" | "not-a-release" | "not-sealed";
    }
  | { readonly ok: false; readonly kind: "cancelled"; readonly code: RefusalCode; readonly entry: LoggedRelease };

/** A release as its ledger entry tells it. */
type LoggedRelease = {
  readonly leafHash: Uint8Array;
  readonly operationId: Uint8Array;
  readonly fields: Readonly<Record<EventField, string>>;
  readonly revealed: readonly Revealed[];
};

/** Longest time from a release's entry to its decision: a crash and a restart, not a story dug out later. */
const MAX_DELAY_MS = 24 * 3_600_000;
/** How far the desk's and the bureau's clocks may be from ours. */
const CLOCK_SKEW_MS = 60_000;

const REVEALED = ["kind", "recipient", "job", "attempt", "request"] as const;
const RELEASE_PATH = "/v1/releases";

/** The keyholder's own decision about one logged release, but for its counters (docs/spec/release-protocol.md, 4.5). */
export function judgeRelease(evidence: ReleaseEvidence, known: ReleaseKnowledge): ReleaseJudgement {
  if (!isLogged(evidence, known)) return { ok: false, kind: "undecided", code: "not-logged" };
  if (!isWitnessed(evidence, known)) return { ok: false, kind: "undecided", code: "not-witnessed" };
  const entry = readEntry(evidence, known.logKey);
  if (entry === undefined) return { ok: false, kind: "undecided", code: "not-a-release" };
  const refuse = (code: RefusalCode): ReleaseJudgement => ({ ok: false, kind: "cancelled", code, entry });

  const pinned = known.agreementOf(evidence.agreement);
  if (pinned === undefined || pinned.superseded) return refuse("agreement-not-in-force");
  const asked = readRequest(evidence.request, pinned, { at: entry.fields.at, now: known.now });
  if (!asked.ok) return refuse(asked.code);
  const { request } = asked;
  const identity = releaseIdentity(request);
  if (!isEntryOf(entry, { request, identity, evidence, pinned })) return refuse("malformed");

  const job = openJobKey(evidence, { known, request, entry });
  if (!job.ok) return refuse(job.code);
  const refusal = refuseByAgreement(pinned, { facts: job.facts, now: known.now });
  if (refusal !== undefined) {
    job.contentKey.fill(0);
    return refuse(refusal);
  }
  return { ok: true, request, identity, pinned, contentKey: job.contentKey, entry };
}

function isLogged({ leaf, index, treeSize, proof }: ReleaseEvidence, { rootOf }: ReleaseKnowledge): boolean {
  const root = rootOf(treeSize);
  return root !== undefined && verifyInclusion({ index, size: treeSize, leafHash: leafHash(leaf), proof, root });
}

function isWitnessed({ checkpoint, treeSize }: ReleaseEvidence, { rootOf, isWitnessed }: ReleaseKnowledge): boolean {
  const root = rootOf(treeSize);
  return root !== undefined && isWitnessed({ checkpoint, size: treeSize, root });
}

/** The entry's event part, when it is this leaf's, a release, and every commitment holds. */
function readEntry({ leaf, openings }: ReleaseEvidence, logKey: Uint8Array): LoggedRelease | undefined {
  try {
    if (!isOpeningsOf(leaf, openings)) return undefined;
    const { operationId } = parseLeaf(leaf);
    const opened = openEvent(openings, operationId, logKey);
    if (opened === undefined || opened.fields.kind !== "release") return undefined;
    const { fields, salts } = opened;
    const names = Object.keys(fields).filter((name): name is keyof typeof fields => name in salts);
    const committed = names.every((field) => verifyOpening(leaf, { field, salt: salts[field], value: fields[field] }));
    if (!committed) return undefined;
    const revealed = REVEALED.map((field) => ({ field, salt: toBase64url(salts[field]), value: fields[field] }));
    return { leafHash: leafHash(leaf), operationId, fields, revealed };
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

type Asked = { ok: true; request: ReleaseRequest } | { ok: false; code: RefusalCode };

/** The bureau's own signed request. It may have expired since it was logged; it may not have been when it was. */
function readRequest(raw: RawRequest, pinned: PinnedAgreement, { at, now }: { at: string; now: Date }): Asked {
  const publicKeyFor = (keyid: string) => pinned.keyFor("requests", keyid);
  const verified = verifyRequest(raw, { publicKeyFor, now, ignoreExpiry: true });
  if (!verified.ok) return verified;
  const instant = Date.parse(at);
  const alive =
    instant >= verified.created * 1000 - CLOCK_SKEW_MS && instant <= verified.expires * 1000 + CLOCK_SKEW_MS;
  const recent = instant <= now.getTime() + CLOCK_SKEW_MS && instant >= now.getTime() - MAX_DELAY_MS;
  if (!alive || !recent) return { ok: false, code: "stale" };
  if (raw.method !== "POST" || !URL.canParse(raw.targetUri) || new URL(raw.targetUri).pathname !== RELEASE_PATH) {
    return { ok: false, code: "malformed" };
  }
  const parsed = releaseRequestSchema.safeParse(parseJson(fromBase64url(raw.body)));
  return parsed.success ? { ok: true, request: parsed.data } : { ok: false, code: "malformed" };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Whether the entry, the request and the agreement all speak of the same release. */
function isEntryOf(
  { fields }: LoggedRelease,
  shown: { request: ReleaseRequest; identity: Uint8Array; evidence: ReleaseEvidence; pinned: PinnedAgreement },
): boolean {
  const { request, identity, evidence, pinned } = shown;
  return (
    request.agreement === evidence.agreement &&
    request.recipient === pinned.agreement.recipient.id &&
    fields.recipient === request.recipient &&
    fields.agreement === request.agreement &&
    fields.order === request.order &&
    fields.job === request.job &&
    fields.attempt === String(request.attempt) &&
    fields.request === toHex(identity) &&
    fields.detail === releaseDetail(request)
  );
}

type JobKey = { ok: true; contentKey: Uint8Array; facts: DisclosureFacts } | { ok: false; code: RefusalCode };

/** The job's content key, when person, context, entry and wrapped key belong together. */
function openJobKey(
  evidence: ReleaseEvidence,
  shown: { known: ReleaseKnowledge; request: ReleaseRequest; entry: LoggedRelease },
): JobKey {
  const { known, request, entry } = shown;
  const keys = known.keysOf(evidence.person);
  // The desk shows no wrapped key of a job that was withdrawn after it was reserved.
  if (keys === undefined || evidence.wrapped.length === 0) return { ok: false, code: "withdrawn" };
  if (!isAbout(evidence, keys)) return { ok: false, code: "malformed" };
  try {
    const context = parseJobContext(evidence.context);
    const { contentKey, facts } = unwrapJobKey(keys.jobKey(), evidence.context, evidence.wrapped);
    const fits =
      context.force === known.force &&
      context.recipient === request.recipient &&
      context.order === request.order &&
      context.job === request.job &&
      context.agreementDigest === request.agreement &&
      context.categories.join(" ") === [...facts.categories].sort().join(" ") &&
      entry.fields.facts === releaseFacts(facts, known.pseudonymOf(evidence.person));
    if (fits) return { ok: true, contentKey, facts };
    contentKey.fill(0);
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
  }
  return { ok: false, code: "malformed" };
}

/** Whether the entry stands under this person, so that it is found among the person's own. */
function isAbout({ leaf, openings, person }: ReleaseEvidence, keys: PersonKeys): boolean {
  const opened = openSubject(openings, parseLeaf(leaf).operationId, keys.auditKey());
  if (opened === undefined || opened.fields.subject !== person) return false;
  return verifyOpening(leaf, { field: "subject", salt: opened.salts.subject, value: person });
}

/** Every category, about this subject, at this instant. A job without categories discloses nothing that was agreed. */
function refuseByAgreement(
  { agreement }: PinnedAgreement,
  { facts, now }: { facts: DisclosureFacts; now: Date },
): RefusalCode | undefined {
  const subject = toSubject(facts);
  if (subject === undefined || facts.categories.length === 0 || agreement.limits === undefined) return "withdrawn";
  for (const category of subject.categories) {
    const answer = may({ agreement, recipient: agreement.recipient.id, category, subject, at: now });
    if (answer.ok) continue;
    const outside = answer.reason === "not-yet-in-force" || answer.reason === "no-longer-in-force";
    return outside ? "agreement-not-in-force" : "withdrawn";
  }
  return undefined;
}
