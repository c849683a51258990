import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agreement, parseAgreement } from "@tipstaff/agreement";
import {
  createNoteSigner,
  encodeCheckpoint,
  leafHash,
  nodeHash,
  openEvent,
  prepareEntry,
  signatureLines,
  signNote,
} from "@tipstaff/ledger";
import {
  chainNext,
  chainStart,
  orderStatement,
  outcomeStatement,
  parsePublicKey,
  REFUSALS,
  type Receipt,
  type RefusalCode,
  type ReleaseAnswer,
  type ReleaseRequest,
  receiptSchema,
  releaseIdentity,
  releaseInfo,
  releaseRequestSchema,
  signReply,
  verifyRequest,
} from "@tipstaff/release-protocol";
import { encodeJobContext, sealJob, sealRelease } from "@tipstaff/sealing";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const b64u = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
/** As the example agreement has it. */
const MAX_ATTEMPTS = 2;
const ORIGIN = "exampleshire-police.example/tipstaff/log";

/** What the force does with one message: as it should, or one of the ways in which the wire and the force go wrong. */
export type Behaviour =
  | "normal"
  | "lose-request"
  | "lose-answer"
  | "unsigned"
  | { readonly refuse: RefusalCode; readonly retryAfter?: number }
  /** The keyholder cancels what the desk has reserved. */
  | { readonly cancel: RefusalCode }
  | { readonly tamper: (answer: ReleaseAnswer) => unknown };
export type Message = { readonly route: string; readonly path: string; readonly body: unknown; readonly at: number };

type Job = { id: string; key: Uint8Array; attempt: number; line: string | undefined; receipt: Receipt | undefined };

/** The other side, as the specification has it: real keys, a real log in memory, and faults when the test says so. */
export async function startTestForce(bureauKeys: readonly { id: string; use: string; publicKey: string }[]) {
  const force = keyPair("exampleshire-police/force");
  const log = keyPair(ORIGIN);
  const reply = generateKeyPairSync("ed25519");
  const agreementFile = writeAgreement(bureauKeys);
  const bytes = readFileSync(agreementFile);
  const parsed = parseAgreement(bytes, { fileName: "agreement" });
  if (!parsed.ok) throw new Error("the example agreement has faults");
  const force_ = {
    agreement: parsed.agreement,
    digest: createHash("sha256").update(bytes).digest("hex"),
    leaves: [] as Uint8Array[],
    orders: new Map<string, Buffer>(),
    runs: new Map<string, { order: string; jobs: string[] }>(),
    jobs: new Map<string, Job>(),
    chains: new Map<string, string>(),
    /** Restarts that the force tells of, by line. */
    restarts: new Map<string, string>(),
    answers: new Map<string, { answer: ReleaseAnswer } | { code: RefusalCode }>(),
    nonces: new Set<string>(),
    messages: [] as Message[],
    /** Every key that was given out: job and attempt. */
    released: [] as { job: string; attempt: number; line: string }[],
    /** What a correct bureau never makes this side say. */
    unexpected: [] as string[],
    behave: (_message: Message): Behaviour | Promise<Behaviour> => "normal",
  };
  const state = { ...force_, force, log, reply: reply.privateKey, bureauKeys };
  const server = createServer((request, response) => {
    serve(state, request, response).catch((error) => {
      state.unexpected.push(String(error));
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const spki = reply.publicKey.export({ format: "der", type: "spki" });
  return Object.assign(state, {
    agreementFile,
    forceVerifierKey: force.note.verifierKey,
    logVerifierKey: log.note.verifierKey,
    forceSignature: signatureLines(bytes, [force.note]),
    replyPublicKey: spki.subarray(-32).toString("base64"),
    url: `http://127.0.0.1:${portOf(server)}`,
    addOrder: (count: number) => addOrder(state, count),
    /** Bytes that nobody signed, after an order's own. */
    lengthenOrder: (order: string, bytes: number) =>
      state.orders.set(order, Buffer.concat([state.orders.get(order) ?? Buffer.alloc(0), Buffer.alloc(bytes)])),
    /** The order under another manifest, signed again. */
    rewriteOrder: (order: string, change: (manifest: Manifest) => object, by = force) =>
      state.orders.set(order, rewriteOrder(state.orders.get(order) ?? Buffer.alloc(0), change, by.seed)),
    openRun: (order: string, jobs?: readonly string[]) => openRun(state, order, jobs),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
}

type State = Parameters<typeof addOrder>[0];
type KeyPair = { note: ReturnType<typeof createNoteSigner>; seed: Uint8Array };

function keyPair(name: string): KeyPair {
  const seed = randomBytes(32);
  return { note: createNoteSigner(name, seed), seed };
}

function writeAgreement(keys: readonly { id: string; use: string; publicKey: string }[]): string {
  const example = new URL("../../../examples/agreements/card-contractor.yaml", import.meta.url);
  const lines = keys.map((key) => `    - id: ${key.id}\n      use: ${key.use}\n      publicKey: ${key.publicKey}\n`);
  const text = readFileSync(example, "utf8").replace(
    / {2}keys:\n[\s\S]*? {2}# end of keys\n/,
    `  keys:\n${lines.join("")}`,
  );
  const file = join(mkdtempSync(join(tmpdir(), "bureau-agreement-")), "agreement.yaml");
  writeFileSync(file, text);
  return file;
}

function addOrder(
  state: {
    agreement: Agreement;
    digest: string;
    leaves: Uint8Array[];
    orders: Map<string, Buffer>;
    runs: Map<string, { order: string; jobs: string[] }>;
    jobs: Map<string, Job>;
    chains: Map<string, string>;
    restarts: Map<string, string>;
    answers: Map<string, { answer: ReleaseAnswer } | { code: RefusalCode }>;
    nonces: Set<string>;
    messages: Message[];
    released: { job: string; attempt: number; line: string }[];
    unexpected: string[];
    behave: (message: Message) => Behaviour | Promise<Behaviour>;
    force: KeyPair;
    log: KeyPair;
    reply: KeyObject;
    bureauKeys: readonly { id: string; use: string; publicKey: string }[];
  },
  count: number,
) {
  const order = randomUUID();
  const categories = state.agreement.categories.map(({ category }) => category);
  let offset = 0;
  const sealed = Array.from({ length: count }, () => {
    const job = { id: randomUUID(), key: randomBytes(32), attempt: 0, line: undefined, receipt: undefined };
    const templateDigest = "ab".repeat(32);
    const names = { force: "exampleshire-police", recipient: "cardmaker", order, job: job.id };
    const context = encodeJobContext({ ...names, agreementDigest: state.digest, templateDigest, categories });
    const pages = Buffer.from(`%PDF-1.7 ${job.id} Secret Name\n`);
    const ciphertext = sealJob({ contentKey: job.key, context, head: { template: "warrant-card" }, pages });
    const entry = {
      job: job.id,
      templateDigest,
      categories,
      offset,
      length: ciphertext.length,
      digest: sha(ciphertext),
    };
    offset += ciphertext.length;
    state.jobs.set(job.id, job);
    return { ciphertext, entry };
  });
  const manifest = {
    version: 1,
    suite: "A256GCM",
    force: "exampleshire-police",
    recipient: "cardmaker",
    order,
    agreement: state.digest,
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    jobs: sealed.map(({ entry }) => entry),
  };
  const ciphertexts = Buffer.concat(sealed.map(({ ciphertext }) => ciphertext));
  state.orders.set(order, Buffer.concat([signManifest(manifest, state.force.seed), ciphertexts]));
  return { order, jobs: manifest.jobs.map(({ job }) => job) };
}

type Manifest = {
  readonly jobs: readonly { readonly job: string; readonly offset: number; readonly length: number }[];
};

/** The first two lines of an order file. */
function signManifest(manifest: object, seed: Uint8Array): Buffer {
  const line = Buffer.from(JSON.stringify(manifest));
  const signature = signSeed(seed, orderStatement(createHash("sha256").update(line).digest()));
  return Buffer.concat([line, Buffer.from(`\n${Buffer.from(signature).toString("base64")}\n`)]);
}

function rewriteOrder(file: Buffer, change: (manifest: Manifest) => object, seed: Uint8Array): Buffer {
  const first = file.indexOf("\n");
  const manifest: Manifest = JSON.parse(file.toString("utf8", 0, first));
  return Buffer.concat([signManifest(change(manifest), seed), file.subarray(file.indexOf("\n", first + 1) + 1)]);
}

function openRun(state: State, order: string, jobs?: readonly string[]): string {
  const run = randomUUID();
  const { jobs: all } = JSON.parse(state.orders.get(order)?.toString("utf8").split("\n", 1)[0] ?? "");
  state.runs.set(run, { order, jobs: [...(jobs ?? all.map(({ job }: { job: string }) => job))] });
  return run;
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const path = request.url ?? "";
  const method = request.method ?? "";
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const route = `${method} ${path.split("/").slice(0, 3).join("/")}`;
  const use = route === "POST /v1/receipts" ? "receipts" : "requests";
  const key = state.bureauKeys.find((known) => known.use === use);
  const verified = verifyRequest(
    { method, targetUri: `http://${request.headers.host}${path}`, headers, body: b64u(body) },
    { publicKeyFor: (id) => (id === key?.id ? parsePublicKey(key.publicKey) : undefined), now: new Date() },
  );
  if (!verified.ok && verified.code !== "stale") throw new Error(`${route} is signed wrongly: ${verified.code}`);
  if (verified.ok && state.nonces.has(verified.nonce)) throw new Error("a nonce was used twice");
  if (verified.ok) state.nonces.add(verified.nonce);
  const json: unknown = body.length > 0 ? JSON.parse(body.toString("utf8")) : undefined;
  const message = { route, path, body: json, at: Date.now() };
  state.messages.push(message);
  const behaviour = verified.ok ? await state.behave(message) : ({ refuse: verified.code } as const);
  if (behaviour === "lose-request") return void response.destroy();
  const made = await answer(state, message, behaviour);
  if (behaviour === "lose-answer") return void response.destroy();
  const content = Buffer.isBuffer(made.body) ? made.body : Buffer.from(JSON.stringify(made.body));
  const signed =
    behaviour === "unsigned"
      ? {}
      : signReply({
          status: made.status,
          body: content,
          requestSignature: headers.signature ?? "",
          keyid: "desk-reply",
          sign: (bytes) => sign(null, bytes, state.reply),
          now: new Date(),
        });
  const retry =
    typeof behaviour === "object" && "retryAfter" in behaviour ? { "retry-after": String(behaviour.retryAfter) } : {};
  response.writeHead(made.status, { ...signed, ...retry, "content-length": content.length });
  response.end(content);
}

type Made = { status: number; body: Buffer | object };
const refusal = (code: RefusalCode): Made => ({
  status: REFUSALS[code],
  body: { type: "about:blank", title: code, status: REFUSALS[code], code },
});

async function answer(state: State, { route, path, body }: Message, behaviour: Behaviour): Promise<Made> {
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

const chainOf = (state: State, line: string): string => state.chains.get(line) ?? hex(chainStart("cardmaker", line));

async function release(state: State, request: ReleaseRequest, behaviour: Behaviour): Promise<Made> {
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

function unexpected(state: State, code: RefusalCode): Made {
  state.unexpected.push(code);
  return refusal(code);
}

async function makeAnswer(
  state: State,
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

function receive(state: State, receipt: Receipt): Made {
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

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function signSeed(seed: Uint8Array, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, { key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
