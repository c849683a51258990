import { linkSync, unlinkSync, writeFileSync } from "node:fs";
import { access, mkdir, readdir, rename } from "node:fs/promises";
import { join, parse } from "node:path";
import { readSerial } from "./serial.ts";

/** The folder that stands for plastic. What lies in it has left the bureau, as a card has. */
export type Printer = {
  /**
   * Prints a page file onto a blank. Not synced to disk: the intent that precedes it is, and so is the outcome that
   * follows; the folder stands for cards, which do not vanish in a power cut.
   */
  readonly print: (blank: string, pages: Uint8Array) => Promise<void>;
  /** Puts a spoiled blank aside, printed or not. */
  readonly putAside: (blank: string) => Promise<void>;
  /** The highest number of a blank with this prefix that has come out; 0 where none has. */
  readonly lastBlank: (prefix: string) => Promise<number>;
};

export async function createPrinter(folder: string): Promise<Printer> {
  const spoiled = join(folder, "spoiled");
  await mkdir(spoiled, { recursive: true });
  const pageFile = (blank: string) => join(folder, `${blank}.pdf`);
  return {
    print: async (blank, pages) => {
      // A partly written card is under no blank's name.
      const temporary = join(folder, `.${blank}.printing`);
      // At once, since nothing here waits for the disk: by the thread pool each of the five calls costs more than it does.
      writeFileSync(temporary, pages, { flag: "wx" });
      // Unlike rename, link fails where a card is: no blank is printed twice, not even after the store was put back.
      linkSync(temporary, pageFile(blank));
      unlinkSync(temporary);
    },
    putAside: async (blank) => {
      try {
        await access(pageFile(blank));
      } catch {
        return;
      }
      await rename(pageFile(blank), join(spoiled, `${blank}.pdf`));
    },
    lastBlank: async (prefix) => {
      let last = 0;
      for (const place of [folder, spoiled]) {
        for (const name of await readdir(place)) {
          last = Math.max(last, readSerial(prefix, parse(name).name) ?? 0);
        }
      }
      return last;
    },
  };
}
