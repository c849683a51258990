import { LedgerError } from "../error.ts";
import { parseCheckpoint } from "../formats/checkpoint.ts";
import { type Cosigner, createCosigner, isCosignable } from "../formats/cosignature.ts";
import { encodeSignatureLine, parseSignedNote } from "../formats/signed-note.ts";
import { parseAddCheckpoint } from "./add-checkpoint.ts";
import { type CosignDecision, decideCosign, openForWitness, type WitnessedLog } from "./decide-cosign.ts";
import { openWitnessStore, type WitnessStore } from "./witness-store.ts";

/** What a request is answered, as in HTTP. */
export type WitnessAnswer = { readonly status: number; readonly type: string; readonly body: string };

/** A witness that is open. `addCheckpoint` takes the body of a request (C2SP tlog-witness, add-checkpoint). */
export type Witness = {
  readonly name: string;
  readonly verifierKey: string;
  readonly addCheckpoint: (body: Uint8Array) => WitnessAnswer;
  readonly close: () => void;
};

/** Where a witness lies, and whom it cosigns how often. */
export type WitnessOptions = {
  /** The folder in which `createWitnessStore` made it. */
  readonly folder: string;
  /** Whose checkpoints are cosigned. An empty list means nobody's. */
  readonly logs: readonly WitnessedLog[];
  /** Cosignatures a second for a log that grows; a further one waits for a better second. 100. */
  readonly growthPerSecond?: number;
  /** The same for the size that stands already, which anybody may ask who has the checkpoint. 5. */
  readonly repeatsPerSecond?: number;
  readonly now?: () => Date;
};

const TEXT = "text/plain; charset=utf-8";
const SIZE_TYPE = "text/x.tlog.size";
const SECONDS_OF_BURST = 10;

const refuse = (status: number, why: string): WitnessAnswer => ({ status, type: TEXT, body: `${why}\n` });

/**
 * A witness over its own store. Each answer's head is durable before the cosignature is made. Throws `witness-missing`, and
 * `signer-invalid` where the platform cannot sign as the store's key does.
 */
export const openWitness = (options: WitnessOptions): Witness => {
  const { folder, logs, now = () => new Date(), growthPerSecond = 100, repeatsPerSecond = 5 } = options;
  const store = openWitnessStore(folder);
  const cosigner = cosignerOf(store);
  const growth = createLimiter(growthPerSecond, now);
  const repeats = createLimiter(repeatsPerSecond, now);
  const open: OpenWitness = { store, cosigner, logs, now, growth, repeats };
  return {
    name: cosigner.name,
    verifierKey: cosigner.verifierKey,
    addCheckpoint: (body) => {
      try {
        return answerAddCheckpoint(open, body);
      } catch (error) {
        if (error instanceof LedgerError && error.code.endsWith("-malformed")) return refuse(400, error.message);
        throw error;
      }
    },
    close: store.close,
  };
};

type OpenWitness = {
  readonly store: WitnessStore;
  readonly cosigner: Cosigner;
  readonly logs: readonly WitnessedLog[];
  readonly now: () => Date;
  readonly growth: Limiter;
  readonly repeats: Limiter;
};

const answerAddCheckpoint = (
  { store, cosigner, logs, now, growth, repeats }: OpenWitness,
  body: Uint8Array,
): WitnessAnswer => {
  const { oldSize, proof, checkpoint: note } = parseAddCheckpoint(body);
  const { text } = parseSignedNote(note);
  const { origin } = parseCheckpoint(text);
  const opened = openForWitness(
    note,
    logs.find((log) => log.origin === origin),
  );
  if (!opened.ok) return refuse(opened.status, opened.status === 404 ? "unknown log" : "not signed by that log");
  const { checkpoint } = opened;
  // Before the head moves: what cannot be cosigned is no tree that this witness vouched for.
  if (!isCosignable(checkpoint, store.algorithm)) return refuse(400, "ML-DSA-44 cannot cosign that checkpoint");
  const decision = store.advance<Decision>(origin, (head) => {
    const decided = decideCosign(head, { oldSize, proof, checkpoint });
    if (decided.status !== 200) return { value: decided };
    const isGrowth = checkpoint.size > (head?.size ?? -1n);
    if (!(isGrowth ? growth : repeats).take(origin)) return { value: LIMITED };
    return { value: decided, ...(isGrowth ? { next: decided.head } : {}) };
  });
  if (decision.status === 200) {
    const line = encodeSignatureLine(cosigner.cosign(text, Math.floor(now().getTime() / 1000)));
    return { status: 200, type: TEXT, body: line };
  }
  if (decision.status === 409) return { status: 409, type: SIZE_TYPE, body: `${decision.size}\n` };
  return refuse(decision.status, decision.reason);
};

const cosignerOf = (store: WitnessStore): Cosigner => {
  try {
    return createCosigner(store);
  } catch (error) {
    store.close();
    throw error;
  }
};

type Decision = CosignDecision | typeof LIMITED;
const LIMITED = { status: 429, reason: "too many requests of that log" } as const;

type Limiter = { readonly take: (origin: string) => boolean };

/** A token bucket for each log; what is not in the list of logs never comes here. */
const createLimiter = (perSecond: number, now: () => Date): Limiter => {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const full = perSecond * SECONDS_OF_BURST;
  return {
    take: (origin) => {
      const at = now().getTime();
      const { tokens, at: since } = buckets.get(origin) ?? { tokens: full, at };
      const filled = Math.min(full, tokens + (Math.max(0, at - since) / 1000) * perSecond);
      buckets.set(origin, { tokens: filled < 1 ? filled : filled - 1, at });
      return filled >= 1;
    },
  };
};
