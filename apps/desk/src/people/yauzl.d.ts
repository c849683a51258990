/** The part of yauzl 3 that read-xlsx.ts uses; the package brings no types. */
declare module "yauzl" {
  import type { Readable } from "node:stream";

  export type Entry = {
    readonly fileName: string;
    readonly uncompressedSize: number;
    isEncrypted(): boolean;
  };
  export type ZipFile = {
    readonly entryCount: number;
    eachEntry(): AsyncIterable<Entry>;
    openReadStreamPromise(entry: Entry): Promise<Readable>;
    close(): void;
  };
  export function openPromise(
    path: string,
    options: { readonly autoClose: boolean; readonly lazyEntries: boolean },
  ): Promise<ZipFile>;
}
