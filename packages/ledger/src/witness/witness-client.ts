import { decodeUtf8 } from "../bytes.ts";
import type { MlDsa44Verify } from "../crypto.ts";
import { LedgerError } from "../error.ts";
import { parseCheckpoint } from "../formats/checkpoint.ts";
import { verifyCosignature } from "../formats/cosignature.ts";
import type { LogKey } from "../formats/log-key.ts";
import type { Policy, PolicyWitness } from "../formats/policy.ts";
import {
  encodeSignedNote,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  parseSignatureLines,
  parseSignedNote,
  type SignedNote,
} from "../formats/signed-note.ts";
import { foreignWitnesses, isFulfilled, verifyPolicy } from "../formats/verify-policy.ts";
import { encodeAddCheckpoint, parseSize } from "./add-checkpoint.ts";
import { postToWitness } from "./post-to-witness.ts";

/** A checkpoint to be cosigned, and how to prove it to whoever is behind. */
export type CosignRequest = {
  /** The log's signed checkpoint. */
  readonly note: Uint8Array;
  /** From where to prove to a witness of which nothing is known: the size published last. */
  readonly oldSize: number;
  /** The proof from a size to the checkpoint's. */
  readonly consistency: (oldSize: number) => Promise<readonly Uint8Array[]>;
  /** The size that the log's database gives its head now, against which a witness ahead of the checkpoint is held. */
  readonly headSize: () => Promise<number>;
};

/** A witness by its name in the policy, and why it did not cosign. */
export type WitnessFailure = { readonly name: string; readonly why: string };
/** The note with its quorum, or who did not cosign and why. */
export type CosignResult =
  | { readonly ok: true; readonly note: Uint8Array }
  | { readonly ok: false; readonly reason: "quorum-missing"; readonly failures: readonly WitnessFailure[] };

/** Asks the witnesses of one policy. */
export type WitnessClient = {
  /**
   * Asks all witnesses at once until the policy's quorum is there, or the deadline. Throws `log-halted` where a witness knows more
   * than the log's database, or another tree: the database was rolled back, or the log forked.
   */
  readonly cosign: (request: CosignRequest) => Promise<CosignResult>;
  /** Whether this note carries a quorum already; never where the policy says `quorum none`, because nobody vouches then. */
  readonly isWitnessed: (note: Uint8Array) => boolean;
  /** Whether the policy demands anybody: false for `quorum none` alone. */
  readonly demandsQuorum: boolean;
};

/** Whom to ask, and how long. */
export type WitnessClientOptions = {
  readonly policy: Policy;
  /** Instead of the logs that the policy names. */
  readonly log?: { readonly origin: string; readonly keys: readonly LogKey[] };
  /** For all witnesses together, in milliseconds; 2,000. */
  readonly deadlineMs?: number;
  readonly mlDsa44?: MlDsa44Verify;
};

const DEADLINE_MS = 2000;
/** How long further cosignatures are waited for once the quorum is there. */
const GRACE_MS = 100;

type Asked = PolicyWitness & { readonly url: string };
type Answer = { readonly signature: NoteSignature } | { readonly why: string };

/** A client of the witnesses that a policy names with a URL; throws `policy-malformed` where these can make no quorum. */
export const createWitnessClient = (options: WitnessClientOptions): WitnessClient => {
  const { policy, deadlineMs = DEADLINE_MS } = options;
  const logKeys = options.log?.keys ?? policy.logs.map(({ key }) => key);
  const asked = foreignWitnesses(policy, logKeys).filter((witness): witness is Asked => isHttp(witness.url));
  if (!isFulfilled(policy.quorum, new Set<PolicyWitness>(asked))) {
    throw new LedgerError(
      "policy-malformed",
      "policy: its witnesses with an http(s) URL, and not the log's own key, can make no quorum",
    );
  }
  const { quorum } = policy;
  const client: Client = { asked, quorum, deadlineMs, mlDsa44: options.mlDsa44, sizes: new Map() };
  const verify = (note: Uint8Array) => verifyPolicy(note, options);
  const cosign = async (request: CosignRequest): Promise<CosignResult> => {
    const note = parseSignedNote(request.note);
    const answers = await askAll(client, note, request);
    const found = [...answers].flatMap(([, answer]) => ("signature" in answer ? [answer.signature] : []));
    const merged = mergeSignatures(note, found);
    if (verify(merged).ok) return { ok: true, note: merged };
    const failures = asked.flatMap((witness) => {
      const answer = answers.get(witness) ?? { why: "no answer in time" };
      return "why" in answer ? [{ name: witness.name, why: answer.why }] : [];
    });
    return { ok: false, reason: "quorum-missing", failures };
  };
  const demandsQuorum = quorum !== "none";
  return { cosign, isWitnessed: (note) => demandsQuorum && verify(note).ok, demandsQuorum };
};

type Client = {
  readonly asked: readonly Asked[];
  readonly quorum: Policy["quorum"];
  readonly deadlineMs: number;
  readonly mlDsa44: MlDsa44Verify | undefined;
  /** How much of the log each has cosigned, as far as is known here. */
  readonly sizes: Map<PolicyWitness, number>;
};

/** What each said until there was enough of it, or time was up; throws `log-halted` as soon as one knows of a fork. */
const askAll = async (
  { asked, quorum, deadlineMs, mlDsa44, sizes }: Client,
  note: SignedNote,
  request: CosignRequest,
): Promise<ReadonlyMap<PolicyWitness, Answer>> => {
  const answers = new Map<PolicyWitness, Answer>();
  const stop = new AbortController();
  let halt: unknown;
  const work = asked.map(async (witness) => {
    try {
      answers.set(witness, await askWitness({ witness, note, request, sizes, signal: stop.signal, mlDsa44 }));
    } catch (error) {
      if (error instanceof LedgerError && error.code === "log-halted") halt ??= error;
      else if (error instanceof LedgerError) answers.set(witness, { why: `the log cannot prove to it: ${error.code}` });
      else answers.set(witness, { why: stop.signal.aborted ? "no answer in time" : "cannot be reached" });
    }
  });
  const cosigned = () => new Set([...answers].flatMap(([witness, answer]) => ("signature" in answer ? [witness] : [])));
  const isEnough = (): boolean => halt !== undefined || isFulfilled(quorum, cosigned());
  await waitFor(work, { isEnough, deadlineMs });
  stop.abort();
  if (halt !== undefined) throw halt;
  return answers;
};

const isHttp = (url: string | undefined): url is string =>
  url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

/** The log's own signatures stay first; an older cosignature of the same key gives way. */
const mergeSignatures = (note: SignedNote, found: readonly NoteSignature[]): Uint8Array => {
  const isSame = (a: NoteSignature, b: NoteSignature): boolean => a.name === b.name && a.keyId === b.keyId;
  const kept = note.signatures.filter((signature) => !found.some((other) => isSame(signature, other)));
  return encodeSignedNote({ text: note.text, signatures: [...kept, ...found].slice(0, MAX_NOTE_SIGNATURES) });
};

/** Until enough is there and a short grace is over, all work is done, or time is up. */
const waitFor = async (
  work: readonly Promise<void>[],
  { isEnough, deadlineMs }: { isEnough: () => boolean; deadlineMs: number },
): Promise<void> => {
  const timers: ReturnType<typeof setTimeout>[] = [];
  const later = (ms: number): Promise<void> => new Promise((resolve) => timers.push(setTimeout(resolve, ms)));
  const enough = new Promise<void>((resolve) => {
    for (const one of work) one.then(() => isEnough() && resolve());
  });
  await Promise.race([Promise.all(work), later(deadlineMs), enough.then(() => later(GRACE_MS))]);
  for (const timer of timers) clearTimeout(timer);
};

type Asking = {
  readonly witness: Asked;
  readonly note: SignedNote;
  readonly request: CosignRequest;
  readonly sizes: Map<PolicyWitness, number>;
  readonly signal: AbortSignal;
  readonly mlDsa44: MlDsa44Verify | undefined;
};

const askWitness = async (asking: Asking): Promise<Answer> => {
  const { witness, note, request, sizes, signal } = asking;
  const size = Number(parseCheckpoint(note.text).size);
  let oldSize = Math.min(sizes.get(witness) ?? request.oldSize, size);
  for (let attempt = 0; attempt < 2; attempt++) {
    const proof = oldSize === 0 || oldSize === size ? [] : await request.consistency(oldSize);
    const body = encodeAddCheckpoint({ oldSize: BigInt(oldSize), proof, checkpoint: request.note });
    const { status, type, body: reply } = await postToWitness(witness.url, body, signal);
    if (status === 200) return readCosignature(asking, reply, size);
    if (status === 422) throw halted(`the witness ${witness.name} does not find the log consistent from ${oldSize} on`);
    if (status !== 409) return { why: `it answered ${status}` };
    const theirs = readSize(reply, type);
    if (theirs === undefined) return { why: "it answered 409 without a size" };
    if (theirs === oldSize) throw halted(`the witness ${witness.name} cosigned another tree of ${theirs} entries`);
    if (theirs > size) {
      const head = await request.headSize();
      if (theirs > head)
        throw halted(
          `the witness ${witness.name} cosigned ${theirs} entries, and the database has ${head}: the database was rolled back`,
        );
      return { why: "it cosigned a later checkpoint already" };
    }
    oldSize = theirs;
  }
  return { why: "its size changed while it was asked" };
};

const halted = (why: string): LedgerError => new LedgerError("log-halted", `the log is halted: ${why}`);

const readSize = (reply: Uint8Array, type: string): number | undefined => {
  const text = decodeUtf8(reply) ?? "";
  if (!type.startsWith("text/x.tlog.size") || !text.endsWith("\n")) return undefined;
  const size = parseSize(text.slice(0, -1));
  return size === undefined ? undefined : Number(size);
};

const readCosignature = ({ witness, note, sizes, mlDsa44 }: Asking, reply: Uint8Array, size: number): Answer => {
  try {
    const lines = parseSignatureLines(decodeUtf8(reply) ?? "");
    const signature = lines.find(({ name, keyId }) => name === witness.key.name && keyId === witness.key.keyId);
    if (signature === undefined) return { why: "its answer is not signed by its key" };
    const verdict = verifyCosignature(note.text, signature, { key: witness.key, mlDsa44 });
    if (!verdict.ok || verdict.timestamp === 0n) return { why: "its cosignature is false" };
    sizes.set(witness, size);
    return { signature };
  } catch (error) {
    if (error instanceof LedgerError) return { why: "its answer is malformed" };
    throw error;
  }
};
