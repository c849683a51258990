import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

/** A gzipped file that is longer than this part of the plain one is not worth its work at both ends. */
const WORTH = 0.9;
/** What a file's digest costs in memory, about. */
const ENTRY_BYTES = 256;
const MAX_BYTES = 32 * 1_048_576;

/**
 * Gzips a file, or answers `undefined` where that saves less than a tenth, as with entries that are hashes. Both are
 * remembered by the file's digest, the latest asked for first, in so many bytes of memory; 32 MiB.
 */
export const createZipOnce = (maxBytes = MAX_BYTES) => {
  const kept = new Map<string, Uint8Array | undefined>();
  let size = 0;
  const weightOf = (zipped: Uint8Array | undefined): number => ENTRY_BYTES + (zipped?.length ?? 0);
  const keep = (digest: string, zipped: Uint8Array | undefined): void => {
    if (kept.has(digest)) size -= weightOf(kept.get(digest));
    kept.delete(digest);
    kept.set(digest, zipped);
    size += weightOf(zipped);
    for (const [oldest, dropped] of kept) {
      if (size <= maxBytes) return;
      kept.delete(oldest);
      size -= weightOf(dropped);
    }
  };
  const make = async (digest: string, bytes: Uint8Array): Promise<Uint8Array | undefined> => {
    const made = await compress(bytes);
    // What gzip answers is a view of a buffer of 64 KiB: kept as it is, a short one would hold all of that.
    const zipped = made.length <= bytes.length * WORTH ? new Uint8Array(made) : undefined;
    keep(digest, zipped);
    return zipped;
  };
  const making = new Map<string, Promise<Uint8Array | undefined>>();
  return async (digest: string, bytes: Uint8Array): Promise<Uint8Array | undefined> => {
    const known = kept.get(digest);
    if (known !== undefined || kept.has(digest)) {
      keep(digest, known);
      return known;
    }
    const begun = making.get(digest) ?? make(digest, bytes).finally(() => making.delete(digest));
    making.set(digest, begun);
    return begun;
  };
};
