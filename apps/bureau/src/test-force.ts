import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAgreement } from "@tipstaff/agreement";
import { signatureLines } from "@tipstaff/ledger";
import {
  parsePublicKey,
  type RefusalCode,
  type ReleaseAnswer,
  signReply,
  verifyRequest,
} from "@tipstaff/release-protocol";
import { answer, ORIGIN } from "./test-force-answers.ts";
import { addOrder, type Manifest, openRun, rewriteOrder } from "./test-force-orders.ts";
import { type Behaviour, type ForceState, type Job, keyPair, type Message } from "./test-force-state.ts";

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

async function serve(state: ForceState, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    { method, targetUri: `http://${request.headers.host}${path}`, headers, body: body.toString("base64url") },
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

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
