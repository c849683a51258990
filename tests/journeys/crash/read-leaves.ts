import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const OPERATION_FROM = 1;
const OPERATION_TO = 33;

export type LoggedEntry = { readonly index: number; readonly leafHash: string; readonly operation: string };

/**
 * The entries of a published log, read from its bundles alone with a reader of our own (C2SP tlog-tiles: u16be length
 * before each entry; RFC 6962 section 2.1: leaf hash = SHA-256(0x00 ‖ entry)), up to the checkpoint's size.
 */
export function readLeaves(tiles: string): LoggedEntry[] {
  const checkpoint = join(tiles, "checkpoint");
  if (!existsSync(checkpoint)) return [];
  const size = Number(readFileSync(checkpoint, "utf8").split("\n")[1]);
  const found: LoggedEntry[] = [];
  for (let bundle = 0; found.length < size; bundle += 1) {
    const before = found.length;
    for (const entry of splitBundle(readFileSync(bundleFile(tiles, bundle)))) {
      if (found.length === size) break;
      const leafHash = createHash("sha256").update(Buffer.of(0)).update(entry).digest("hex");
      const operation = entry.subarray(OPERATION_FROM, OPERATION_TO).toString("hex");
      found.push({ index: found.length, leafHash, operation });
    }
    if (found.length === before) throw new Error(`entry bundle ${bundle} of ${tiles} is empty`);
  }
  return found;
}

/** The full bundle, or the widest partial one. */
function bundleFile(tiles: string, bundle: number): string {
  const digits = String(bundle).padStart(Math.ceil(String(bundle).length / 3) * 3, "0");
  const groups = digits.match(/\d{3}/g) ?? [];
  const parts = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`));
  const full = join(tiles, "tile", "entries", ...parts);
  if (statSync(full, { throwIfNoEntry: false })?.isFile()) return full;
  const widths = readdirSync(`${full}.p`).map(Number).filter(Number.isInteger);
  return join(`${full}.p`, String(Math.max(...widths)));
}

function* splitBundle(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at);
    const end = at + 2 + length;
    if (end > bytes.length) throw new Error("an entry bundle ends in the middle of an entry");
    yield bytes.subarray(at + 2, end);
    at = end;
  }
}
