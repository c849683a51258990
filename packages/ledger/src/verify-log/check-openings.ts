import { equalBytes } from "../bytes.ts";
import { sha256 } from "../crypto.ts";
import { bundleOf, type OpeningsFile } from "../storage/openings-files.ts";
import { findBreak } from "../tree/bundle.ts";
import { bundleOffsets } from "../tree/hash-bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { Misfit, orFault } from "./misfit.ts";

/** The leaves of a bundle, whose first entry has the index `first`. */
export type Leaves = { readonly first: number; readonly bytes: Uint8Array; readonly offsets: Uint32Array };

/** Where a leaf holds the digest of its openings (docs/spec/entry.md, section 4). */
const DIGEST_AT = 65;

/** Holds the openings of a bundle against the digests in its leaves; throws the first that does not fit as a Misfit. */
export const checkOpenings = async (files: readonly OpeningsFile[], leaves: Leaves): Promise<void> => {
  for (const [at, file] of files.entries()) {
    const next = files[at + 1];
    if (file.bytes === undefined && next && !(await fits(next, leaves))) throw misled(file, next);
    await checkFile(file, leaves);
  }
};

const fits = async (file: OpeningsFile, leaves: Leaves): Promise<boolean> => {
  try {
    await checkFile(file, leaves);
    return true;
  } catch (error) {
    if (error instanceof Misfit) return false;
    throw error;
  }
};

/** A file that is asked for by the one behind it alone is not missing where that one does not fit by what it says. */
const misled = (absent: OpeningsFile, { path }: OpeningsFile): Misfit => {
  const message = `${path} begins behind ${absent.path} by its byte 0; no such file is there, nor do the openings behind that byte fit`;
  return new Misfit({ kind: "openings", path, bytes: { from: 0, to: 1 }, message });
};

const checkFile = async (file: OpeningsFile, { first, bytes: leaves, offsets: starts }: Leaves): Promise<void> => {
  const { path, begins, ends, bytes } = file;
  const kind = "openings";
  const region = bytes ? { bytes: { from: 0, to: 1 } } : {};
  const bundle = await orFault({ kind, path, ...region }, () => bundleOf(file));
  const whole = bundleOffsets(bundle, ends - begins);
  const broken = whole ? undefined : findBreak(bundle, ends - begins);
  const offsets = whole ?? broken?.offsets ?? [];
  for (let at = 0; at + 1 < offsets.length; at++) {
    const [from = 0, to = 0] = [offsets[at], offsets[at + 1]];
    const leaf = (starts[begins + at] ?? 0) + 2 + DIGEST_AT;
    if (equalBytes(sha256(bundle.subarray(from + 2, to)), leaves.subarray(leaf, leaf + HASH_LENGTH))) continue;
    const index = first + begins + at;
    const message = `the openings of entry ${index} do not have the digest that its leaf gives`;
    throw new Misfit({ kind, path, index, bytes: { from: 1 + from, to: 1 + to }, message });
  }
  if (broken) throw new Misfit({ kind, path, ...breakIn(file, first, broken) });
};

/** Where a file ceases to be one of openings, all of which fitted before. Its bundle begins at its byte 1. */
const breakIn = (
  { path, bytes = new Uint8Array(0), begins, ends }: OpeningsFile,
  first: number,
  { offsets, from, to }: { offsets: readonly number[]; from: number; to: number },
) => {
  const at = begins + offsets.length - 1;
  const region = { from: 1 + from, to: 1 + to };
  if (at === ends) {
    return {
      bytes: region,
      message: `${path} is ${bytes.length} bytes long and must be ${region.from}, where its openings end`,
    };
  }
  const message = `${path} ends at byte ${bytes.length}, and the openings of entry ${first + at} must be at bytes ${region.from} to ${region.to}`;
  return { index: first + at, bytes: region, message };
};
