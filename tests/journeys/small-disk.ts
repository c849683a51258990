import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SIZE = "8m";
const PIECE = Buffer.alloc(64 * 1024, 1);

/** A folder on which writing can be made to fail, and to work again. */
export type SmallDisk = {
  /** Said in the test's title: a full file system, or a folder that is not there. */
  readonly how: "full" | "gone";
  readonly spoil: () => void;
  readonly mend: () => void;
  readonly remove: () => void;
};

/**
 * Where this process may mount, the folder is a small file system of its own, filled to the last byte. Elsewhere the
 * folder is taken away, so that every write to it fails too.
 */
export function smallDisk(folder: string): SmallDisk {
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", folder]).status === 0;
  return mounted ? fileSystem(folder) : takenAway(folder);
}

function fileSystem(folder: string): SmallDisk {
  const filler = join(folder, "filler");
  return {
    how: "full",
    spoil: () => {
      try {
        for (;;) appendFileSync(filler, PIECE);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    },
    mend: () => rmSync(filler, { force: true }),
    remove: () => {
      // Lazily: a process that is about to end may hold a file still.
      spawnSync("umount", ["-l", folder]);
    },
  };
}

function takenAway(folder: string): SmallDisk {
  const away = `${folder}.away`;
  return {
    how: "gone",
    spoil: () => {
      renameSync(folder, away);
      writeFileSync(folder, "");
    },
    mend: () => {
      rmSync(folder);
      renameSync(away, folder);
    },
    remove: () => undefined,
  };
}
