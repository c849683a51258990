import type { ClientBase } from "pg";
import { concat, equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { openingsFiles } from "../storage/openings-files.ts";
import { CHECKPOINT_PATH, type LogStorage, tileReaderOf } from "../storage/tile-storage.ts";
import { parseBundle } from "../tree/bundle.ts";
import { edgeRoot, emptyEdge, extendEdge, type LogFile } from "../tree/edge.ts";
import { openingsPath, TILE_WIDTH, tilePath } from "../tree/paths.ts";
import { createProver } from "../tree/prover.ts";
import { type Head, markPublished, readHead, readSequenced } from "./head.ts";
import { signerMisfit } from "./head-fits.ts";
import type { SequencerOptions } from "./options.ts";
import { assertRoot, assertSigned, type Published, readPublished } from "./published.ts";
import { asOnlyLeader } from "./rebuild-database.ts";

/** The database of a log, the folders that lost it, and its signer. */
export type RebuildFolderInput = Pick<
  SequencerOptions,
  "pool" | "tiles" | "openings" | "origin" | "sign" | "lastSigned" | "verifierKeys"
> & { readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void };

/**
 * Derives the files of a lost or rolled-back folder from the database's entries, and has the head signed again. A file that is
 * there with other bytes is left as it is (`tile-conflict`); a checkpoint that is no past of this database, a root that is not
 * the head's, or a signer that knows more than the database, is `log-halted`, and then no checkpoint is written.
 */
export const rebuildFolder = async (input: RebuildFolderInput): Promise<{ readonly size: number }> =>
  asOnlyLeader(input, async (client) => {
    const head = await readHead(client);
    if (head === undefined) throw new LedgerError("log-missing", "the database holds no head of the log");
    if (head.origin !== input.origin) throw halted(`the database holds the log ${head.origin}`);
    const signed = await input.lastSigned?.();
    const misfit = signed && signerMisfit(head, signed);
    if (misfit !== undefined) throw halted(misfit);
    const out = await readPublished(input);
    if (out && out.size > head.size) throw halted("the folder's checkpoint is beyond the database: it was rolled back");
    await deriveFiles(input, { client, head, out });
    if (head.size > 0 && out?.size !== head.size) await publish(input, head);
    await markPublished(client, head);
    return { size: head.size };
  });

const halted = (why: string): LedgerError => new LedgerError("log-halted", `the folder was not rebuilt: ${why}`);

type Source = { readonly client: ClientBase; readonly head: Head; readonly out: Published | undefined };

const deriveFiles = async (input: RebuildFolderInput, { client, head, out }: Source): Promise<void> => {
  let edge = emptyEdge;
  while (edge.size < head.size) {
    const from = edge.size;
    const to = Math.min(head.size, from + TILE_WIDTH);
    const entries = await readSequenced(client, from, to);
    const leaves = entries.map(({ leaf }) => leaf);
    if (out && out.size > from && out.size <= to)
      assertPast(extendEdge(edge, leaves.slice(0, out.size - from)).edge, out);
    const step = extendEdge(edge, leaves);
    // Partial tiles are of the head's size alone: those of sizes on the way were never published, or are full now.
    await input.tiles.writeOnce(step.files.filter(({ path }) => to === head.size || !path.includes(".p/")));
    await writeOpenings(
      input.openings,
      from,
      entries.map(({ openings }) => openings),
    );
    edge = step.edge;
    input.onProgress?.({ entries: to, of: head.size });
  }
  await input.tiles.writeOnce(partialTiles(edge.levels, head.size));
  if (!equalBytes(edgeRoot(edge), head.root)) throw halted("the database's entries do not have its head's root");
};

const assertPast = (edge: typeof emptyEdge, out: Published): void => {
  if (!equalBytes(edgeRoot(edge), out.root))
    throw halted(`the checkpoint of size ${out.size} is of another log: a fork`);
};

/** Where the last bundle ended below a full one, the partial tiles above it were not touched by the last step. */
const partialTiles = (levels: readonly (readonly Uint8Array[])[], size: number): LogFile[] =>
  levels.flatMap((hashes, level) => {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    return hashes.length === 0
      ? []
      : [{ path: tilePath({ level, index, width: hashes.length }), bytes: concat(hashes) }];
  });

/** What stands there, piece by piece from the end, must be the same; the first piece that is missing is written whole. */
const writeOpenings = async (storage: LogStorage, start: number, blobs: readonly Uint8Array[]): Promise<void> => {
  for (let end = blobs.length; end > 0; ) {
    const path = openingsPath({ index: start / TILE_WIDTH, width: end });
    const bytes = await storage.read(path);
    if (bytes === undefined) return storage.writeOnce(openingsFiles(start, blobs.slice(0, end)));
    const from = bytes[0] ?? end;
    const found = from < end ? parseBundle(bytes.subarray(1), end - from) : [];
    if (from >= end || found.some((blob, at) => !equalBytes(blob, blobs[from + at] ?? none))) {
      throw new LedgerError(
        "tile-conflict",
        `the openings file ${path} exists with other content; it is left as it is`,
      );
    }
    end = from;
  }
};
const none = new Uint8Array(0);

const publish = async (input: RebuildFolderInput, head: Head): Promise<void> => {
  const { origin, tiles } = input;
  const { size, root, publishedSize: oldSize } = head;
  const prover = createProver({ size, readTile: tileReaderOf(tiles) });
  await assertRoot(prover, root);
  const consistencyProof = await prover.consistency(oldSize);
  const checkpoint = await input.sign({ origin, oldSize, size, root, consistencyProof });
  assertSigned(checkpoint, { ...input, size, root });
  await tiles.replace({ path: CHECKPOINT_PATH, bytes: checkpoint });
};
