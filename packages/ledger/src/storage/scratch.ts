import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { LedgerError } from "../error.ts";
import type { Scratch } from "../verify-log/spilled-book.ts";
import { codeOf } from "./folder-files.ts";

/** A scratch on disk; to be closed after use, which removes what is in it. */
export type FolderScratch = Scratch & { readonly close: () => Promise<void> };

/**
 * A scratch in a folder of its own below this one, which it makes once something is put there. For `verifyLog`, that is 16
 * bytes for each entry of the log. Rejects with `storage-failed` (disk full, no access).
 */
export const createScratch = (below: string): FolderScratch => {
  let made: Promise<string> | undefined;
  const folder = (): Promise<string> => {
    made ??= mkdtemp(join(below, "tipstaff-scratch-"));
    return made;
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const why = codeOf(error) || "unknown fault";
      const message = `what does not fit memory cannot be kept in ${below}: ${why}`;
      throw new LedgerError("storage-failed", message, { cause: error });
    }
  };
  return {
    append: (part, bytes) => guarded(async () => appendFile(join(await folder(), `${part}`), bytes, { mode: 0o600 })),
    read: (part) =>
      guarded(async () => {
        const path = join(await folder(), `${part}`);
        return readFile(path).catch((error) => {
          if (codeOf(error) === "ENOENT") return new Uint8Array(0);
          throw error;
        });
      }),
    close: async () => {
      const path = await made?.catch(() => undefined);
      if (path !== undefined) await rm(path, { recursive: true, force: true });
    },
  };
};
