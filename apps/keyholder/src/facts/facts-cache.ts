/** Release facts and the like, opened: what `facts/open` answers of one entry. */
export type EntryFacts = {
  readonly [name in
    | "kind"
    | "recipient"
    | "at"
    | "order"
    | "job"
    | "attempt"
    | "agreement"
    | "request"
    | "facts"
    | "detail"]: string;
};

/** Entries opened before, by operation id; the first opened go first. */
export type FactsCache = {
  readonly get: (operationId: string) => EntryFacts | undefined;
  readonly set: (operationId: string, facts: EntryFacts) => void;
};

/** About 1 KiB an entry in memory. */
const FACTS_CACHE_ENTRIES = 100_000;

export function createFactsCache(limit: number = FACTS_CACHE_ENTRIES): FactsCache {
  const kept = new Map<string, EntryFacts>();
  return {
    get: (operationId) => kept.get(operationId),
    set: (operationId, facts) => {
      if (kept.size >= limit && !kept.has(operationId)) {
        const oldest = kept.keys().next();
        if (!oldest.done) kept.delete(oldest.value);
      }
      kept.set(operationId, facts);
    },
  };
}
