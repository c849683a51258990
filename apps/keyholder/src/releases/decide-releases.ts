import { toLimits } from "@tipstaff/agreement";
import { leafHash } from "@tipstaff/ledger";
import type { KeyholderRequest, KeyholderResponse, Outcome, RefusalCode } from "@tipstaff/release-protocol";
import { outcomeStatement, releaseInfo } from "@tipstaff/release-protocol";
import { pseudonymOf, SealingError, sealRelease } from "@tipstaff/sealing";
import { createAgreementReader } from "../agreements/agreement-store.ts";
import { signedRoot } from "../checkpoints/sign-checkpoint.ts";
import { fromBase64, fromBase64url, toBase64url, toHex } from "../encoding.ts";
import { toEntryFacts } from "../facts/open-facts.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring } from "../roots/root-keys.ts";
import { createWitnessJudge } from "../witnesses/witness-policy.ts";
import { chargeRelease } from "./charge-release.ts";
import { judgeRelease, type ReleaseEvidence, type ReleaseJudgement, type ReleaseKnowledge } from "./judge-release.ts";
import { findOutcome } from "./release-outcomes.ts";
import { type KeptOutcome, keepCharge, keepOutcome, readReleaseState } from "./release-store.ts";

type Shown = KeyholderRequest<"releases/decide">["releases"][number];
type Prepared = {
  readonly leafHash: Uint8Array;
  readonly judgement: ReleaseJudgement;
  readonly person: string;
  readonly agreement: string;
  /** The content key, sealed to the bureau; made before the decision, and thrown away where that is no. */
  readonly sealed: Awaited<ReturnType<typeof sealRelease>> | undefined;
};

/**
 * Decides releases that stand on the ledger: exactly one outcome a leaf, durable before it is answered, the same again
 * whenever it is asked for. Sealing cannot be done inside the store's transaction and comes before it; holds,
 * counters, the person's root and whether the agreement was replaced are read inside, so that whatever the keyholder is
 * told before the decision stops it.
 */
export async function decideReleases(
  keyholder: Keyholder,
  { releases }: KeyholderRequest<"releases/decide">,
): Promise<KeyholderResponse<"releases/decide">> {
  const known = gatherKnowledge(keyholder);
  const origin = keyholder.keys.checkpointSigner.name;
  const prepared = await Promise.all(releases.map((shown) => prepare(keyholder, known, { shown, origin })));
  return keyholder.store.transaction(() => {
    const outcomes = prepared.map((release) => decide(keyholder, release));
    const count = (kind: string) => outcomes.filter(({ fresh, outcome }) => fresh && outcome.outcome === kind).length;
    const detail = { released: count("released"), cancelled: count("cancelled") };
    if (detail.released + detail.cancelled > 0) {
      appendJournal(keyholder.store, { at: keyholder.now(), what: "releases-decided", detail });
    }
    return { outcomes: outcomes.map(({ outcome }) => outcome) };
  });
}

function gatherKnowledge(keyholder: Keyholder): ReleaseKnowledge {
  const { store, keys, force, now } = keyholder;
  return {
    force,
    logKey: keys.log,
    pseudonymOf: (person) => pseudonymOf(keys.pseudonym, person),
    keysOf: createKeyring(keyholder).find,
    agreementOf: createAgreementReader(store),
    rootOf: (size) => signedRoot(store, size),
    isWitnessed: createWitnessJudge(keyholder),
    now: now(),
  };
}

async function prepare(
  { store, log }: Keyholder,
  known: ReleaseKnowledge,
  { shown, origin }: { shown: Shown; origin: string },
): Promise<Prepared> {
  const evidence = toEvidence(shown);
  const hash = leafHash(evidence.leaf);
  const { person, agreement } = shown;
  const told = { leafHash: hash, person, agreement };
  if (findOutcome(store, toHex(hash)) !== undefined) return { ...told, judgement: NOT_ASKED, sealed: undefined };
  const judgement = judgeRelease(evidence, known);
  if (!judgement.ok) return { ...told, judgement, sealed: undefined };
  const { request, identity, contentKey } = judgement;
  const info = releaseInfo({ attempt: request.attempt, identity, origin, index: evidence.index, leafHash: hash });
  try {
    const sealed = await sealRelease({ publicKey: fromBase64url(request.key), info, contentKey });
    return { ...told, judgement, sealed };
  } catch (error) {
    if (isBadOneTimeKey(error)) return { ...told, judgement, sealed: undefined };
    log.error({ err: error, job: request.job }, "a release could not be sealed, and is not decided");
    return { ...told, judgement: NOT_SEALED, sealed: undefined };
  } finally {
    contentKey.fill(0);
  }
}

/** Of a leaf that has its outcome, which is answered again. */
const NOT_ASKED: ReleaseJudgement = { ok: false, kind: "undecided", code: "not-logged" };
const NOT_SEALED: ReleaseJudgement = { ok: false, kind: "undecided", code: "not-sealed" };

/** Whether sealing failed because of the key that the bureau sent, which is for ever; anything else may pass. */
export const isBadOneTimeKey = (error: unknown): boolean => error instanceof SealingError && error.code === "malformed";

function toEvidence(shown: Shown): ReleaseEvidence {
  const proof = shown.proof.map(fromBase64).map((hash) => hash ?? new Uint8Array(0));
  const { agreement, request, person, index, treeSize, checkpoint } = shown;
  const [wrapped, context] = [fromBase64url(shown.wrapped), fromBase64url(shown.context)];
  const [leaf, openings] = [fromBase64url(shown.leaf), fromBase64url(shown.openings)];
  return { agreement, request, person, index, treeSize, checkpoint, wrapped, context, leaf, openings, proof };
}

/** Decides one release inside the transaction; `fresh` when this call made its outcome. */
function decide(keyholder: Keyholder, release: Prepared): { outcome: Outcome; fresh: boolean } {
  const hash = toHex(release.leafHash);
  const kept = findOutcome(keyholder.store, hash);
  if (kept !== undefined) return { outcome: kept, fresh: false };
  const { judgement, sealed } = release;
  if (!judgement.ok && judgement.kind === "undecided") {
    return { outcome: { outcome: "undecided", leafHash: hash, code: judgement.code }, fresh: false };
  }
  if (!judgement.ok) {
    const { fields } = judgement.entry;
    const place = { identity: fields.request, job: fields.job, attempt: Number(fields.attempt) };
    return { outcome: cancel(keyholder, release.leafHash, { code: judgement.code, place }), fresh: true };
  }
  const { request, identity, pinned, entry } = judgement;
  const { recipient, order, job, attempt, line } = request;
  const key = { recipient, order, job, attempt, line, identity: toHex(identity) };
  const state = readReleaseState(keyholder.store, key);
  const nowMs = keyholder.now().getTime();
  const charge = chargeRelease(key, { state, limits: toLimits(pinned.agreement), nowMs });
  const ended = findEnded(keyholder, release);
  if (ended !== undefined || !charge.ok || sealed === undefined) {
    const code = ended ?? (charge.ok ? "malformed" : charge.code);
    return { outcome: cancel(keyholder, release.leafHash, { code, place: key }), fresh: true };
  }
  const statement = outcomeStatement({ outcome: "released", leafHash: release.leafHash, ...sealed });
  const outcome: KeptOutcome = {
    outcome: "released",
    leafHash: hash,
    at: new Date(nowMs).toISOString(),
    enc: toBase64url(sealed.enc),
    sealed: toBase64url(sealed.sealed),
    revealed: [...entry.revealed],
    signature: toBase64url(keyholder.keys.forceSigner.sign(statement)),
  };
  keepOutcome(keyholder.store, outcome, key);
  keepCharge(keyholder.store, key, { bucket: charge.bucket, first: state.job === undefined });
  keyholder.factsCache.set(toBase64url(entry.operationId), toEntryFacts(entry.fields));
  return { outcome, fresh: true };
}

/** What was erased or replaced while the content key was being sealed. */
function findEnded({ store }: Keyholder, { person, agreement }: Prepared): RefusalCode | undefined {
  if (createAgreementReader(store)(agreement)?.superseded !== false) return "agreement-not-in-force";
  return store.get("select 1 from root where person = ?", person) === undefined ? "withdrawn" : undefined;
}

function cancel(
  { store, keys, now }: Keyholder,
  leaf: Uint8Array,
  { code, place }: { code: RefusalCode; place: { identity: string; job: string; attempt: number } },
): KeptOutcome {
  const outcome: KeptOutcome = {
    outcome: "cancelled",
    leafHash: toHex(leaf),
    at: now().toISOString(),
    code,
    signature: toBase64url(keys.forceSigner.sign(outcomeStatement({ outcome: "cancelled", leafHash: leaf, code }))),
  };
  keepOutcome(store, outcome, place);
  return outcome;
}
