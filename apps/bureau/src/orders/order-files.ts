import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "../installation/place.ts";
import type { OrderRecord, SealedPlace } from "../store/store.ts";
import { readCiphertext } from "./order-file.ts";

/** Order files, each opened once and read at a job's place. */
export type OrderFiles = {
  /** One job's ciphertext, checked against its signed digest; throws `damaged`. */
  readonly read: (order: OrderRecord, sealed: SealedPlace) => Promise<Buffer>;
  readonly close: () => Promise<void>;
};

export function createOrderFiles(place: Place): OrderFiles {
  const files = new Map<string, Promise<FileHandle>>();
  const opened = (name: string): Promise<FileHandle> => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = open(join(place.orders, name), "r");
    files.set(name, file);
    file.catch(() => files.delete(name));
    return file;
  };
  return {
    read: async (order, { offset, length, digest }) =>
      readCiphertext(await opened(order.file), { offset: order.dataOffset + offset, length, digest }),
    close: async () => {
      await Promise.allSettled([...files.values()].map(async (file) => (await file).close()));
      files.clear();
    },
  };
}
