import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile, type ZipOptions } from "yauzl";

const READ_AHEAD_BYTES = 64 * 1024;
const STREAM_BYTES = 256 * 1024;

export type OpenZip = {
  readonly zip: ZipFile;
  /** That many bytes from `position` on; throws where the file does not have them. */
  readonly read: (position: number, length: number) => Promise<Buffer>;
};

/** Opens a ZIP file; `zip.close()` closes it. Throws what the file system or the ZIP reader throws. */
export async function openZip(
  path: string,
  options: Pick<ZipOptions, "decodeStrings" | "validateEntrySizes"> = {},
): Promise<OpenZip> {
  const handle = await open(path, "r");
  const reader = new FileReader(handle);
  try {
    const { size } = await handle.stat();
    const zip = await fromRandomAccessReaderPromise(reader, size, { ...options, autoClose: false, lazyEntries: true });
    return { zip, read: (position, length) => reader.readWhole(position, length) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads a file anywhere; an offset that is no place in a file is an error like any other, not an exception. */
class FileReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  /** What was read last, and where: a directory is read in many small pieces, one behind the other. */
  #ahead: { readonly from: number; readonly bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };
  #next = -1;

  constructor(handle: FileHandle) {
    super();
    this.#handle = handle;
  }

  async readWhole(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const read = await this.#readAt(bytes.subarray(done), position + done);
      if (read === 0) throw new RangeError("the file ends before");
      done += read;
    }
    return bytes;
  }

  async #readAt(bytes: Buffer, position: number): Promise<number> {
    if (!Number.isSafeInteger(position + bytes.length)) throw new RangeError("no place in a file");
    return (await this.#handle.read(bytes, 0, bytes.length, position)).bytesRead;
  }

  async #readSmall(length: number, position: number): Promise<Buffer> {
    const { from, bytes } = this.#ahead;
    const sequential = position === this.#next;
    this.#next = position + length;
    if (position >= from && position + length <= from + bytes.length) {
      return bytes.subarray(position - from, position - from + length);
    }
    const wanted = Buffer.alloc(sequential ? Math.max(length, READ_AHEAD_BYTES) : length);
    const got = wanted.subarray(0, await this.#readAt(wanted, position));
    this.#ahead = { from: position, bytes: got };
    return got.subarray(0, length);
  }

  override read(...[buffer, offset, length, position, callback]: Parameters<RandomAccessReader["read"]>): void {
    this.#readSmall(length, position).then(
      (bytes) => callback(null, bytes.copy(buffer, offset)),
      (error: Error) => callback(error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const piece = await this.readWhole(at, Math.min(STREAM_BYTES, end - at));
      at += piece.length;
      yield piece;
    }
  }

  override close(callback: (error?: Error) => void): void {
    this.#handle.close().then(() => callback(), callback);
  }
}
