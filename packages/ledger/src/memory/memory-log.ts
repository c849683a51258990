import { encodeCheckpoint } from "../formats/checkpoint.ts";
import { type NoteSigner, signNote } from "../formats/signed-note.ts";
import { CHECKPOINT_PATH, type LogReader, tileReaderOf } from "../storage/tile-storage.ts";
import { edgeRoot, emptyEdge, extendEdge } from "../tree/edge.ts";
import { createProver, type Prover } from "../tree/prover.ts";

/** A log that lives as long as the variable that holds it. */
export type MemoryLog = {
  /** Appends entries of at most 65,535 bytes, and signs a checkpoint over them. Throws `bundle-malformed`. */
  readonly append: (entries: readonly Uint8Array[]) => { readonly firstIndex: number; readonly size: number };
  /** The signed checkpoint of the log as it is now; an empty log has one too. */
  readonly checkpoint: () => Uint8Array;
  /** Makes proofs for the log as it is now; the same prover keeps proving that size. */
  readonly prover: () => Prover;
  /** Its files, tiles and checkpoint, as any reader of a log sees them. */
  readonly reader: LogReader;
};

/** A log in memory for the tests of whoever verifies logs: same files, same proofs, no folder and no database. */
export const createMemoryLog = (signer: NoteSigner, { origin = signer.name }: { origin?: string } = {}): MemoryLog => {
  const files = new Map<string, Uint8Array>();
  let edge = emptyEdge;
  const sign = (): void => {
    const text = encodeCheckpoint({ origin, size: edge.size, root: edgeRoot(edge) });
    files.set(CHECKPOINT_PATH, signNote(text, [signer]));
  };
  sign();
  const read = (path: string): Uint8Array | undefined => files.get(path)?.slice();
  const reader: LogReader = { read: async (path) => read(path) };
  return {
    append: (entries) => {
      const firstIndex = edge.size;
      const next = extendEdge(
        edge,
        entries.map((entry) => entry.slice()),
      );
      for (const { path, bytes } of next.files) files.set(path, bytes);
      edge = next.edge;
      sign();
      return { firstIndex, size: edge.size };
    },
    checkpoint: () => read(CHECKPOINT_PATH) ?? new Uint8Array(0),
    prover: () => createProver({ size: edge.size, readTile: tileReaderOf(reader) }),
    reader,
  };
};
