import { closeSync, openSync, readSync, statSync } from "node:fs";

export const WINDOW_BYTES = 8 << 20;
/** As much as a whole image may take, so that none is cut at every border. */
export const OVERLAP_BYTES = 512 << 10;
const STEP_BYTES = WINDOW_BYTES - OVERLAP_BYTES;

/** Where the file's windows begin. They overlap, so that nothing is missed at a border and memory stays flat. */
export function windowStarts(file: string): number[] {
  const { size } = statSync(file);
  const count = size <= WINDOW_BYTES ? 1 : 1 + Math.ceil((size - WINDOW_BYTES) / STEP_BYTES);
  return Array.from({ length: count }, (_, place) => place * STEP_BYTES);
}

/** Memory for one window. What is never read into takes none of the machine's. */
export const windowBuffer = (): Buffer => Buffer.allocUnsafe(WINDOW_BYTES);

/** Reads the window that begins at `start` into `buffer`; answers the part of it that was filled. */
export function readWindow(file: string, start: number, buffer: Buffer): Buffer {
  const handle = openSync(file, "r");
  try {
    let length = 0;
    for (;;) {
      const read = readSync(handle, buffer, length, WINDOW_BYTES - length, start + length);
      length += read;
      if (read === 0 || length === WINDOW_BYTES) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(handle);
  }
}

/** The file's windows one after the other, all in `buffer`: the next overwrites the last. */
export function* windowsOf(file: string, buffer: Buffer): Generator<Buffer> {
  for (const start of windowStarts(file)) yield readWindow(file, start, buffer);
}
