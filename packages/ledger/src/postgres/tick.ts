import type { ClientBase } from "pg";
import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { openingsFiles } from "../storage/openings-files.ts";
import { CHECKPOINT_PATH, tileReaderOf } from "../storage/tile-storage.ts";
import { edgeRoot, extendEdge, type LogEdge, type LogFile } from "../tree/edge.ts";
import { createProver } from "../tree/prover.ts";
import { cosign } from "./cosign.ts";
import { markPublished, moveHead, type Sequenced, takeWaiting } from "./head.ts";
import type { SequencerOptions } from "./options.ts";
import { assertRoot, assertSigned, type Published, published, readPublished } from "./published.ts";

/** Who leads: one connection, one epoch, and the edge of the log as last published. */
export type Lead = {
  readonly client: ClientBase;
  readonly epoch: string;
  readonly edge: LogEdge;
};

export type TickResult = {
  readonly lead: Lead;
  readonly published: Published;
  readonly entries: readonly Sequenced[];
};

/** Longest wait for the signer, in milliseconds. */
const SIGN_TIMEOUT_MS = 10_000;

/** One turn: sequence what waits, derive, sign, publish. `undefined` where nothing waited. */
export const runTick = async (options: SequencerOptions, lead: Lead): Promise<TickResult | undefined> => {
  const sequenced = await sequence(lead);
  return sequenced && publishEntries(options, lead, sequenced);
};

type Step = { readonly entries: readonly Sequenced[]; readonly edge: LogEdge; readonly files: readonly LogFile[] };

const sequence = async ({ client, epoch, edge }: Lead): Promise<Step | undefined> => {
  await client.query("begin");
  const entries = await takeWaiting(client, edge.size);
  if (entries.length === 0) {
    await client.query("rollback");
    return undefined;
  }
  const step = deriveStep(edge, entries);
  const move = { epoch, oldSize: edge.size, size: step.edge.size, root: edgeRoot(step.edge) };
  if (!(await moveHead(client, move))) {
    await client.query("rollback");
    throw new LeadLost();
  }
  await client.query("commit");
  return step;
};

/** Somebody else leads, or this connection was cut: begin again from what is stored. */
export class LeadLost extends Error {
  constructor() {
    super("another process leads the log now");
    this.name = "LeadLost";
  }
}

export const deriveStep = (edge: LogEdge, entries: readonly Sequenced[]): Step => ({
  entries,
  ...extendEdge(
    edge,
    entries.map(({ leaf }) => leaf),
  ),
});

/**
 * Brings out what the database has already sequenced and committed. Everything here may happen twice, after a crash or
 * beside an older leader, and then comes to the same bytes.
 */
export const publishEntries = async (options: SequencerOptions, lead: Lead, step: Step): Promise<TickResult> => {
  const { tiles, openings, origin } = options;
  const { size } = step.edge;
  const root = edgeRoot(step.edge);
  const blobs = openingsFiles(
    lead.edge.size,
    step.entries.map((entry) => entry.openings),
  );
  // Both are durable before anything is signed; neither needs the other.
  await allSettled([openings.writeOnce(blobs), tiles.writeOnce(step.files)]);
  await assertWritten(options, step.files);
  const prover = createProver({ size, readTile: tileReaderOf(tiles) });
  await assertRoot(prover, root);
  const consistencyProof = await prover.consistency(lead.edge.size);
  const request = { origin, oldSize: lead.edge.size, size, root, consistencyProof };
  const signed = await inTime(options.sign(request));
  assertSigned(signed, { ...options, size, root });
  const checkpoint = await cosign(options, lead, { checkpoint: signed, prover });
  await publishCheckpoint(options, lead, { size, root, checkpoint });
  const full = step.files.filter(({ path }) => !path.includes(".p/"));
  await tiles.dropPartials(full.map(({ path }) => path));
  const next = { ...lead, edge: step.edge };
  return { lead: next, published: published(options, { size, root, checkpoint }), entries: step.entries };
};

const assertWritten = async ({ tiles }: SequencerOptions, files: readonly LogFile[]): Promise<void> => {
  await inParallel(files, async ({ path, bytes }) => {
    const found = await tiles.read(path);
    if (found === undefined || !equalBytes(found, bytes)) {
      throw new LedgerError("tile-conflict", `the log's file ${path} does not read back as it was written`);
    }
  });
};

/** Like `Promise.all`, but no work is still under way when it rejects: the next try must not meet its own writes. */
const allSettled = async (work: readonly Promise<void>[]): Promise<void> => {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
};

const publishCheckpoint = async (
  options: SequencerOptions,
  { client, epoch }: Lead,
  { size, root, checkpoint }: { size: number; root: Uint8Array; checkpoint: Uint8Array },
): Promise<void> => {
  const standing = await readPublished(options);
  // A leader that slept must not put its older checkpoint over a newer one.
  if (standing && standing.size > size) throw new LeadLost();
  if (standing && standing.size === size && !equalBytes(standing.root, root)) {
    throw new LedgerError("log-halted", `a checkpoint of size ${size} with another root is published already`);
  }
  await options.tiles.replace({ path: CHECKPOINT_PATH, bytes: checkpoint });
  if (!(await markPublished(client, { epoch, size, root }))) throw new LeadLost();
};

const inTime = async (signing: Promise<Uint8Array>): Promise<Uint8Array> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the signer did not answer in time")), SIGN_TIMEOUT_MS);
  });
  try {
    return await Promise.race([signing, late]);
  } finally {
    clearTimeout(timer);
  }
};
