/** The part of yauzl 3 that workbooks and archives of photos use; the package brings no types. */
declare module "yauzl" {
  import type { Readable } from "node:stream";

  export type ExtraField = { readonly id: number; readonly data: Buffer };
  /** As the central directory says; `fileName` is text only where strings are decoded. */
  export type Entry = {
    readonly fileName: string;
    readonly fileNameRaw: Buffer;
    readonly extraFields: readonly ExtraField[];
    readonly generalPurposeBitFlag: number;
    readonly compressionMethod: number;
    readonly crc32: number;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    readonly externalFileAttributes: number;
    readonly relativeOffsetOfLocalHeader: number;
    isEncrypted(): boolean;
  };
  export type LocalFileHeader = {
    readonly fileDataStart: number;
    readonly compressionMethod: number;
    readonly generalPurposeBitFlag: number;
    readonly fileName: Buffer;
  };
  export type ZipFile = {
    readonly entryCount: number;
    /** Where the next entry of the central directory stands. */
    readonly readEntryCursor: number;
    eachEntry(): AsyncIterable<Entry>;
    openReadStreamPromise(entry: Entry): Promise<Readable>;
    readLocalFileHeaderPromise(
      entry: Pick<Entry, "compressedSize" | "relativeOffsetOfLocalHeader">,
      options: { readonly minimal: false },
    ): Promise<LocalFileHeader>;
    close(): void;
  };
  export type ZipOptions = {
    readonly autoClose: boolean;
    readonly lazyEntries: boolean;
    readonly decodeStrings?: boolean;
    readonly validateEntrySizes?: boolean;
  };
  export class RandomAccessReader {
    read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null, bytesRead?: number) => void,
    ): void;
    _readStreamForRange(start: number, end: number): Readable;
    close(callback: (error?: Error) => void): void;
  }
  export function fromRandomAccessReaderPromise(
    reader: RandomAccessReader,
    size: number,
    options: ZipOptions,
  ): Promise<ZipFile>;
  export function getFileNameLowLevel(
    generalPurposeBitFlag: number,
    fileNameRaw: Buffer,
    extraFields: readonly ExtraField[],
    strictFileNames: boolean,
  ): string;
}
