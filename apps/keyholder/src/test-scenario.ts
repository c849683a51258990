import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNoteSigner, leafHash, type NoteSigner, nodeHash, signatureLines } from "@tipstaff/ledger";
import {
  chainStart,
  type EntryDraft,
  type KeyholderRequest,
  type Outcome,
  type RawRequest,
  type Receipt,
  type ReleaseRequest,
  releaseDetail,
  releaseIdentity,
  signRequest,
} from "@tipstaff/release-protocol";
import { encodeJobContext, generateOneTimeKey, type OneTimeKey } from "@tipstaff/sealing";
import { pino } from "pino";
import { keyholderHandlers as calls, consoleHandlers } from "./calls.ts";
import { toHex } from "./encoding.ts";
import { initKeyholder } from "./init.ts";
import type { Keyholder } from "./keyholder.ts";
import { openKeyholder } from "./serve.ts";

export const FORCE = "exampleshire-police";
export const RECIPIENT = "cardmaker";
export const ORIGIN = "exampleshire-police.example/tipstaff/log";
const CATEGORIES = ["pd:Name", "pd:Picture", "tip:Rank"];
const AGREEMENT_FILE = join(import.meta.dirname, "../../../examples/agreements/card-contractor.yaml");

export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** RFC 6962 by its definition, apart from the code under test. */
const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);
export const treeRoot = (leaves: readonly Uint8Array[]): Uint8Array => {
  const [first] = leaves;
  if (first === undefined)
    return new Uint8Array(Buffer.from("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "base64url"));
  if (leaves.length === 1) return leafHash(first);
  const k = split(leaves.length);
  return nodeHash(treeRoot(leaves.slice(0, k)), treeRoot(leaves.slice(k)));
};
const inclusionOf = (leaves: readonly Uint8Array[], index: number): Uint8Array[] => {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...inclusionOf(leaves.slice(0, k), index), treeRoot(leaves.slice(k))]
    : [...inclusionOf(leaves.slice(k), index - k), treeRoot(leaves.slice(0, k))];
};
const consistencyOf = (leaves: readonly Uint8Array[], old: number, whole = true): Uint8Array[] => {
  if (old === leaves.length) return whole ? [] : [treeRoot(leaves)];
  const k = split(leaves.length);
  return old <= k
    ? [...consistencyOf(leaves.slice(0, k), old, whole), treeRoot(leaves.slice(k))]
    : [...consistencyOf(leaves.slice(k), old - k, false), treeRoot(leaves.slice(0, k))];
};
export const consistencyProof = (leaves: readonly Uint8Array[], old: number): string[] =>
  old === 0 ? [] : consistencyOf(leaves, old).map((hash) => Buffer.from(hash).toString("base64"));

export type BureauKeys = {
  readonly requests: KeyObject;
  readonly receipts: KeyObject;
  readonly agreement: NoteSigner;
  readonly yaml: string;
};

export const makeBureauKeys = (edit: (yaml: string) => string = (yaml) => yaml): BureauKeys => {
  const [requests, receipts] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
  const raw = (key: KeyObject) => key.export({ format: "der", type: "spki" }).subarray(12).toString("base64");
  const keys = [
    ["cardmaker-requests", "requests", raw(requests.publicKey)],
    ["cardmaker-receipts", "receipts", raw(receipts.publicKey)],
  ].map(([id, use, publicKey]) => `    - { id: ${id}, use: ${use}, publicKey: "${publicKey}" }\n`);
  const text = readFileSync(AGREEMENT_FILE, "utf8").replace(
    / {2}keys:\n[\s\S]*# end of keys\n/,
    `  keys:\n${keys.join("")}`,
  );
  const agreement = createNoteSigner("cardmaker", randomBytes(32));
  return { requests: requests.privateKey, receipts: receipts.privateKey, agreement, yaml: edit(text) };
};

export type TestKeyholder = {
  readonly folder: string;
  readonly keyholder: Keyholder;
  /** The instant that the keyholder sees; tests move it. */
  readonly clock: { now: Date };
  readonly reopen: () => Promise<TestKeyholder>;
  readonly end: () => void;
};

/** A keyholder in this process, on a store in a temporary folder. */
/** As the names say: at most so many a day. */
const TEST_BUDGETS = { dailyOpenings: 500, dailyIndexes: 1000 };
type TestBudgets = typeof TEST_BUDGETS;

export async function startTestKeyholder(budgets: TestBudgets = TEST_BUDGETS): Promise<TestKeyholder> {
  const folder = mkdtempSync(join(tmpdir(), "keyholder-"));
  const clock = { now: new Date("2026-06-01T09:00:00.000Z") };
  const named = { folder, force: FORCE, origin: ORIGIN };
  await initKeyholder({ ...named, passphrase: undefined, forbiddenFolders: [], now: clock.now });
  return openTestKeyholder(folder, clock, budgets);
}

async function openTestKeyholder(folder: string, clock: { now: Date }, budgets: TestBudgets): Promise<TestKeyholder> {
  const log = pino({ level: "silent" });
  const sockets = { socket: "", consoleSocket: "", isDeskInGroup: false };
  const now = () => clock.now;
  const keyholder = await openKeyholder({ folder, ...sockets, passphrase: undefined, ...budgets, now, log });
  return {
    ...{ folder, keyholder, clock },
    reopen: () => {
      keyholder.store.close();
      return openTestKeyholder(folder, clock, budgets);
    },
    end: () => {
      keyholder.store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The recipient's key and the agreement pinned, the log too. */
export function pinEverything({ keyholder }: TestKeyholder, keys: BureauKeys): string {
  consoleHandlers["log/pin"](keyholder, { origin: ORIGIN });
  consoleHandlers["recipients/pin"](keyholder, { recipient: RECIPIENT, verifierKey: keys.agreement.verifierKey });
  return pinYaml(keyholder, keys);
}

/** Has both parties sign the keys' agreement and pins it; answers its digest. */
export function pinYaml(keyholder: Keyholder, { yaml, agreement }: BureauKeys): string {
  const bytes = Buffer.from(yaml, "utf8");
  const lines = signatureLines(bytes, [keyholder.keys.forceSigner, agreement]);
  const answer = consoleHandlers["agreements/pin"](keyholder, { bytes: base64url(bytes), signatures: lines });
  if (answer instanceof Promise || !answer.ok) throw new Error(`not pinned: ${JSON.stringify(answer)}`);
  return answer.digest;
}

export type Shown = KeyholderRequest<"releases/decide">["releases"][number];
export type TestJob = {
  readonly person: string;
  readonly order: string;
  readonly job: string;
  readonly context: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly contentKey: Uint8Array;
};
export type AskedRelease = { request: ReleaseRequest; raw: RawRequest; oneTime: OneTimeKey; identity: string };

/** A force, a bureau and a log around one keyholder: everything that a release needs, all of it changeable. */
export function createScenario(test: TestKeyholder, keys: BureauKeys, agreement: string) {
  const { keyholder, clock } = test;
  const leaves: Uint8Array[] = [];
  const counts = new Map<string, number>();
  let signedSize = 0;

  const signLog = (): void => {
    const root = base64url(treeRoot(leaves));
    const consistency = consistencyProof(leaves, signedSize);
    const size = leaves.length;
    const asked = { origin: ORIGIN, oldSize: signedSize, size, root, consistency };
    const answer = calls["checkpoints/sign"](keyholder, asked);
    if (answer instanceof Promise || !answer.ok) throw new Error(`not signed: ${JSON.stringify(answer)}`);
    signedSize = size;
  };

  type Facts = { postSensitivity?: string; categories?: string[]; cardKind?: string; rank?: string };
  type Place = Pick<TestJob, "person" | "order" | "job">;
  const wrap = (place: Place, contentKey: Uint8Array, facts: Facts = {}): TestJob => {
    const { postSensitivity = "ordinary", categories = CATEGORIES, cardKind = "warrant-card", rank = "PC" } = facts;
    const { person, order, job } = place;
    const templateDigest = "b".repeat(64);
    const fields = { force: FORCE, recipient: RECIPIENT, order, job, agreementDigest: agreement, templateDigest };
    const context = encodeJobContext({ ...fields, categories });
    const disclosure = { cardKind, categories, postSensitivity, rank };
    const asked = { person, context: base64url(context), key: base64url(contentKey), facts: disclosure };
    const answer = calls["jobs/wrap"](keyholder, { jobs: [asked] });
    if (answer instanceof Promise) throw new Error("jobs/wrap is synchronous");
    const wrapped = Buffer.from(answer.wrapped[0] ?? "", "base64url");
    return { person, order, job, context, wrapped, contentKey };
  };

  const makeJob = (facts: Facts = {}): TestJob => {
    const place = { person: randomUUID(), order: randomUUID(), job: randomUUID() };
    calls["roots/create"](keyholder, { batchId: "import-1", persons: [place.person] });
    return wrap(place, randomBytes(32), facts);
  };

  const signBody = (path: string, body: unknown, key: { id: string; privateKey: KeyObject }): RawRequest => {
    const bytes = Buffer.from(JSON.stringify(body), "utf8");
    const targetUri = `https://desk.example${path}`;
    const signer = { keyid: key.id, sign: (message: Uint8Array) => sign(null, message, key.privateKey) };
    const life = { now: clock.now, lifetimeSeconds: 60, nonce: randomBytes(16) };
    const headers = { ...signRequest({ method: "POST", targetUri, body: bytes, ...signer, ...life }) };
    return { method: "POST", targetUri, headers, body: base64url(bytes) };
  };

  const ask = async (job: TestJob, changes: Partial<ReleaseRequest> = {}): Promise<AskedRelease> => {
    const oneTime = await generateOneTimeKey();
    const line = changes.line ?? "line-1";
    const request: ReleaseRequest = {
      ...{ version: 1, recipient: RECIPIENT, agreement, run: randomUUID(), order: job.order, job: job.job },
      ...{ attempt: 1, line, previous: toHex(chainStart(RECIPIENT, line)), key: base64url(oneTime.publicKey) },
      ...changes,
    };
    const raw = signBody("/v1/releases", request, { id: "cardmaker-requests", privateKey: keys.requests });
    return { request, raw, oneTime, identity: toHex(releaseIdentity(request)) };
  };

  const draftOf = (job: TestJob, { request, identity }: AskedRelease): EntryDraft => {
    const n = (counts.get(job.person) ?? 0) + 1;
    counts.set(job.person, n);
    return {
      ...{ kind: "release", recipient: request.recipient, reference: `${job.job}/${request.attempt}/${identity}` },
      ...{ subject: job.person, n, at: clock.now.toISOString(), agreement: request.agreement, order: request.order },
      ...{ job: request.job, attempt: request.attempt, request: identity, detail: releaseDetail(request) },
      wrapped: { key: base64url(job.wrapped), context: base64url(job.context) },
    };
  };

  const prepare = (draft: EntryDraft): { leaf: string; openings: string; operationId: string } => {
    const answer = calls["entries/prepare"](keyholder, { entries: [draft] });
    const [entry] = answer instanceof Promise ? [] : answer.entries;
    if (entry === undefined) throw new Error("nothing was prepared");
    return entry;
  };

  /** Puts the release's entry on the ledger, and shows what the keyholder needs to decide. */
  const log = (job: TestJob, asked: AskedRelease, draft: EntryDraft = draftOf(job, asked)): Shown =>
    logPrepared(job, asked, prepare(draft));

  const logPrepared = (job: TestJob, asked: AskedRelease, entry: { leaf: string; openings: string }): Shown => {
    const { leaf, openings } = entry;
    const index = leaves.push(Buffer.from(leaf, "base64url")) - 1;
    signLog();
    const proof = inclusionOf(leaves, index).map((hash) => Buffer.from(hash).toString("base64"));
    const place = { index, treeSize: leaves.length, proof };
    const secrets = { person: job.person, wrapped: base64url(job.wrapped), context: base64url(job.context) };
    return { agreement, request: asked.raw, ...secrets, leaf, openings, ...place };
  };

  const decide = async (...releases: Shown[]): Promise<Outcome[]> =>
    (await calls["releases/decide"](keyholder, { releases })).outcomes;

  /** Asks, logs and decides one release. */
  const release = async (job: TestJob, changes: Partial<ReleaseRequest> = {}): Promise<Outcome> => {
    const [outcome] = await decide(log(job, await ask(job, changes)));
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  };

  const receiptOf = (job: TestJob, changes: Partial<Receipt> = {}): RawRequest => {
    const receipt: Receipt = {
      ...{ version: 1, recipient: RECIPIENT, agreement, order: job.order, job: job.job, attempt: 1, line: "line-1" },
      ...{ result: "produced", blank: "blank-1", at: "2026-06-01T09:00:05.000Z", kept: "nothing" },
      ...changes,
    };
    return signBody("/v1/receipts", receipt, { id: "cardmaker-receipts", privateKey: keys.receipts });
  };
  const count = (request: RawRequest): boolean => {
    const answer = calls["receipts/count"](keyholder, { receipts: [{ agreement, request }] });
    return !(answer instanceof Promise) && answer.counted[0] === true;
  };

  return {
    ...{
      leaves,
      wrap,
      makeJob,
      ask,
      draftOf,
      prepare,
      log,
      logPrepared,
      decide,
      release,
      receiptOf,
      count,
      signLog,
      signBody,
    },
  };
}

/** `released`, or the code of what it was instead. */
export const wordOf = (outcome: Outcome | undefined): string =>
  outcome === undefined
    ? "nothing"
    : outcome.outcome === "released"
      ? "released"
      : `${outcome.outcome}: ${outcome.code}`;
