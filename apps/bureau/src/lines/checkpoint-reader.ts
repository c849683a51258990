import { type Checkpoint, LedgerError, openCheckpoint, type VerifierKey } from "@tipstaff/ledger";

/** A checkpoint that the pinned log signed for this origin; `undefined` for any other text. */
export type ReadCheckpoint = (note: string, origin: string) => Checkpoint | undefined;

/** Notes remembered. Many cards stand in one checkpoint, and lines that ask together get the last few. */
const REMEMBERED = 64;

/** Reads and verifies each distinct note once, while it is among the last few; a refused one is not remembered. */
export function createCheckpointReader(log: VerifierKey): ReadCheckpoint {
  const known = new Map<string, Checkpoint>();
  return (note, origin) => {
    const found = known.get(note);
    if (found !== undefined) return found.origin === origin ? found : undefined;
    const checkpoint = verifyCheckpoint(note, { log, origin });
    if (checkpoint === undefined) return undefined;
    const [oldest] = known.keys();
    if (known.size >= REMEMBERED && oldest !== undefined) known.delete(oldest);
    known.set(note, checkpoint);
    return checkpoint;
  };
}

function verifyCheckpoint(note: string, { log, origin }: { log: VerifierKey; origin: string }): Checkpoint | undefined {
  try {
    const verdict = openCheckpoint(Buffer.from(note), { keys: [log], origin });
    return verdict.ok ? verdict.checkpoint : undefined;
  } catch (cause) {
    if (cause instanceof LedgerError) return undefined;
    throw cause;
  }
}
