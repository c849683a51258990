import { LedgerError } from "../error.ts";
import { MAX_NOTE_BYTES } from "../formats/signed-note.ts";
import { MAX_ENTRY_BYTES } from "../tree/bundle.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { parseTilePath, TILE_WIDTH } from "../tree/paths.ts";
import { CHECKPOINT_PATH } from "./tile-storage.ts";

/** Largest file of a log, in bytes: 256 entries, or openings, of 65,535 bytes each. More is not read: a copy may hold anything. */
export const MAX_FILE_BYTES = 1 + TILE_WIDTH * (2 + MAX_ENTRY_BYTES);

/** How a file of a log is served (C2SP tlog-tiles, "APIs"), and how long it may be. */
export type FileRules = {
  readonly kind: "checkpoint" | "tile" | "entries";
  readonly contentType: string;
  readonly cacheControl: string;
  readonly maxBytes: number;
};

const IMMUTABLE = "public, max-age=31536000, immutable";
const BYTES = "application/octet-stream";

/** The rules of a file that the log shows to everybody; `undefined` for every other path, openings among them. */
export const fileRulesOf = (path: string): FileRules | undefined => {
  if (path === CHECKPOINT_PATH) {
    const contentType = "text/plain; charset=utf-8";
    return { kind: "checkpoint", contentType, cacheControl: "no-cache", maxBytes: MAX_NOTE_BYTES };
  }
  try {
    const { level, width } = parseTilePath(path);
    const [kind, item] =
      level === "entries" ? ["entries" as const, 2 + MAX_ENTRY_BYTES] : ["tile" as const, HASH_LENGTH];
    return { kind, contentType: BYTES, cacheControl: IMMUTABLE, maxBytes: width * item };
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
};
