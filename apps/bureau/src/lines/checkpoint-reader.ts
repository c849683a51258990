import { type Checkpoint, LedgerError, openCheckpoint, type VerifierKey } from "@tipstaff/ledger";

/** A checkpoint of the pinned log, whose origin its key's name is; `undefined` for any other text. */
export type ReadCheckpoint = (note: string) => Checkpoint | undefined;

/** Notes remembered. Many cards stand in one checkpoint, and lines that ask together get the last few. */
const REMEMBERED = 64;

/** Reads and verifies each distinct note once, while it is among the last few; a refused one is not remembered. */
export function createCheckpointReader(log: VerifierKey): ReadCheckpoint {
  const known = new Map<string, Checkpoint>();
  return (note) => {
    const found = known.get(note);
    if (found !== undefined) return found;
    const checkpoint = verifyCheckpoint(note, log);
    if (checkpoint === undefined) return undefined;
    const [oldest] = known.keys();
    if (known.size >= REMEMBERED && oldest !== undefined) known.delete(oldest);
    known.set(note, checkpoint);
    return checkpoint;
  };
}

function verifyCheckpoint(note: string, log: VerifierKey): Checkpoint | undefined {
  try {
    const verdict = openCheckpoint(Buffer.from(note), { keys: [log], origin: log.name });
    return verdict.ok ? verdict.checkpoint : undefined;
  } catch (cause) {
    if (cause instanceof LedgerError) return undefined;
    throw cause;
  }
}
