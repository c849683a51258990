import { equalBytes } from "../bytes.ts";
import { emptyRoot } from "../tree/hashes.ts";
import type { Head } from "./head.ts";

/** A tree head that somebody else than the database remembers. */
export type KnownHead = { readonly size: number; readonly root: Uint8Array };

/**
 * Why the database's head and the published checkpoint (`undefined`: none) cannot belong to one history, and which of the
 * two was rolled back; nothing where they fit.
 */
export const headMisfit = (origin: string, head: Head, out: KnownHead | undefined): string | undefined => {
  if (head.origin !== origin) return `the database holds the log ${head.origin}`;
  const { size, root } = out ?? { size: 0, root: emptyRoot() };
  if (size > head.size) {
    return `the published checkpoint has ${size} entries and the database ${head.size}: it was rolled back`;
  }
  if (size < head.publishedSize) {
    return `the published checkpoint has ${size} entries and ${head.publishedSize} were published: the folder was rolled back`;
  }
  if (size === head.publishedSize && !equalBytes(root, head.publishedRoot)) return "the published root differs";
  if (size === head.size && !equalBytes(root, head.root)) return "the published root is not the database's";
  return undefined;
};

/** The same of what the signer signed last: it may be one step ahead of what is published, never of the database. */
export const signerMisfit = (head: Head, signed: KnownHead): string | undefined => {
  if (signed.size > head.size) {
    return `the signer signed ${signed.size} entries and the database has ${head.size}: the database was rolled back, and the folder with it`;
  }
  if (signed.size < head.publishedSize) {
    return `the signer remembers ${signed.size} entries and ${head.publishedSize} were published: the signer was rolled back`;
  }
  const same = [
    { size: head.size, root: head.root },
    { size: head.publishedSize, root: head.publishedRoot },
  ].find(({ size }) => size === signed.size);
  if (same === undefined) return `the signer signed ${signed.size} entries, which the database never meant to publish`;
  return equalBytes(same.root, signed.root) ? undefined : `the signer signed another root of ${signed.size} entries`;
};
