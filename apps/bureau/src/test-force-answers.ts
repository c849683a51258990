import { randomBytes } from "node:crypto";
import { encodeCheckpoint, leafHash, nodeHash, openEvent, prepareEntry, signNote } from "@tipstaff/ledger";
import {
  chainNext,
  chainStart,
  outcomeStatement,
  REFUSALS,
  type Receipt,
  type RefusalCode,
  type ReleaseAnswer,
  type ReleaseRequest,
  receiptSchema,
  releaseIdentity,
  releaseInfo,
  releaseRequestSchema,
} from "@tipstaff/release-protocol";
import { sealRelease } from "@tipstaff/sealing";
import { type Behaviour, type ForceState, type Message, sha, signSeed } from "./test-force-state.ts";

export const ORIGIN = "exampleshire-police.example/tipstaff/log";
/** As the example agreement has it. */
const MAX_ATTEMPTS = 2;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const b64u = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

export type Made = { status: number; body: Buffer | object };
const refusal = (code: RefusalCode): Made => ({
  status: REFUSALS[code],
  body: { type: "about:blank", title: code, status: REFUSALS[code], code },
});

export async function answer(state: ForceState, { route, path, body }: Message, behaviour: Behaviour): Promise<Made> {
  if (typeof behaviour === "object" && "refuse" in behaviour) return refusal(behaviour.refuse);
  const [, , , id] = path.split("/");
  if (route === "GET /v1/orders" && id === undefined) {
    const orders = [...state.orders].map(([order, file]) => ({
      order,
      jobs: Math.max(1, file.toString("latin1").split('"job":').length - 1),
      digest: sha(file),
      expiresAt: new Date().toISOString(),
    }));
    return { status: 200, body: { orders } };
  }
  if (route === "GET /v1/orders") return { status: 200, body: state.orders.get(id ?? "") ?? {} };
  const until = new Date(Date.now() + 3_600_000).toISOString();
  if (route === "GET /v1/runs" && id === undefined) {
    const runs = [...state.runs].map(([run, { order, jobs }]) => ({ run, order, until, left: jobs.length }));
    return { status: 200, body: { runs } };
  }
  if (route === "GET /v1/runs") return { status: 200, body: { run: id, until, ...state.runs.get(id ?? "") } };
  if (route === "GET /v1/lines") {
    const restart = state.restarts.get(id ?? "");
    return { status: 200, body: { line: id, chain: chainOf(state, id ?? ""), ...(restart && { restart }) } };
  }
  if (route === "POST /v1/releases") return release(state, releaseRequestSchema.parse(body), behaviour);
  if (route === "POST /v1/receipts") return receive(state, receiptSchema.parse(body));
  throw new Error(`no such route: ${route}`);
}

const chainOf = (state: ForceState, line: string): string =>
  state.chains.get(line) ?? hex(chainStart("cardmaker", line));

async function release(state: ForceState, request: ReleaseRequest, behaviour: Behaviour): Promise<Made> {
  const identity = releaseIdentity(request);
  const kept = state.answers.get(hex(identity));
  if (kept !== undefined) return "code" in kept ? refusal(kept.code) : { status: 200, body: kept.answer };
  const job = state.jobs.get(request.job);
  const run = state.runs.get(request.run);
  if (job === undefined) return unexpected(state, "unknown-job");
  if (run?.jobs.includes(job.id) !== true) return refusal("no-open-run");
  if (job.receipt !== undefined) return unexpected(state, "already-answered");
  if (chainOf(state, request.line) !== request.previous) return unexpected(state, "chain-broken");
  if (request.attempt !== job.attempt + 1) return unexpected(state, "attempt-refused");
  if (request.attempt > MAX_ATTEMPTS) return refusal("attempt-refused");
  const open = [...state.jobs.values()].filter(
    (other) => other !== job && other.line === request.line && other.receipt === undefined,
  );
  if (open.length > 0) return refusal("line-busy");
  state.chains.set(request.line, hex(chainNext(Buffer.from(request.previous, "hex"), identity)));
  Object.assign(job, { attempt: request.attempt, line: request.line });
  if (typeof behaviour === "object" && "cancel" in behaviour) {
    state.answers.set(hex(identity), { code: behaviour.cancel });
    return refusal(behaviour.cancel);
  }
  state.released.push({ job: job.id, attempt: request.attempt, line: request.line });
  const made = await makeAnswer(state, request, { identity, key: job.key });
  state.answers.set(hex(identity), { answer: made });
  if (typeof behaviour === "object" && "tamper" in behaviour) {
    return { status: 200, body: Object(behaviour.tamper(made)) };
  }
  return { status: 200, body: made };
}

function unexpected(state: ForceState, code: RefusalCode): Made {
  state.unexpected.push(code);
  return refusal(code);
}

async function makeAnswer(
  state: ForceState,
  request: ReleaseRequest,
  { identity, key }: { identity: Uint8Array; key: Uint8Array },
): Promise<ReleaseAnswer> {
  const operationId = randomBytes(32);
  const logKey = randomBytes(32);
  const at = new Date().toISOString();
  const fields = {
    kind: "release",
    at,
    recipient: request.recipient,
    job: request.job,
    attempt: String(request.attempt),
    request: hex(identity),
  } as const;
  const entry = prepareEntry({ operationId, fields, tag: undefined, keys: { log: logKey }, random: randomBytes });
  const opened = openEvent(entry.openings, operationId, logKey);
  if (opened === undefined) throw new Error("an entry does not open");
  const index = state.leaves.push(leafHash(entry.leaf)) - 1;
  const hash = leafHash(entry.leaf);
  const checkpoint = encodeCheckpoint({ origin: ORIGIN, size: state.leaves.length, root: rootOf(state.leaves) });
  const info = releaseInfo({ attempt: request.attempt, identity, origin: ORIGIN, index, leafHash: hash });
  // Before anything is awaited: the log grows meanwhile.
  const proof = proofOf(state.leaves, index).map((node) => Buffer.from(node).toString("base64"));
  const sealed = await sealRelease({ publicKey: Buffer.from(request.key, "base64url"), info, contentKey: key });
  const shown = ["kind", "recipient", "job", "attempt", "request"] as const;
  return {
    outcome: "released",
    job: request.job,
    attempt: request.attempt,
    origin: ORIGIN,
    index,
    leaf: b64u(entry.leaf),
    proof,
    checkpoint: Buffer.from(signNote(checkpoint, [state.log.note])).toString("utf8"),
    revealed: shown.map((field) => ({ field, salt: b64u(opened.salts[field]), value: opened.fields[field] })),
    enc: b64u(sealed.enc),
    sealed: b64u(sealed.sealed),
    signature: b64u(signSeed(state.force.seed, outcomeStatement({ outcome: "released", leafHash: hash, ...sealed }))),
  };
}

function receive(state: ForceState, receipt: Receipt): Made {
  const job = state.jobs.get(receipt.job);
  if (job === undefined || job.attempt !== receipt.attempt || job.line !== receipt.line)
    return unexpected(state, "unknown-job");
  if (job.receipt !== undefined && JSON.stringify(job.receipt) !== JSON.stringify(receipt)) {
    return unexpected(state, "already-answered");
  }
  const known = job.receipt !== undefined && { known: true };
  job.receipt = receipt;
  return { status: 200, body: { accepted: true, ...known } };
}

const largestPowerBelow = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const split = largestPowerBelow(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function proofOf(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const split = largestPowerBelow(leaves.length);
  return index < split
    ? [...proofOf(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...proofOf(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
}
