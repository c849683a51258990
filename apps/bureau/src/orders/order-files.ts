import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { BureauError } from "../bureau-error.ts";
import type { Place } from "../installation/place.ts";
import type { SealedPlace } from "../store/job-statements.ts";
import type { OrderRecord } from "../store/order-statements.ts";
import { readCiphertext } from "./order-file.ts";

/** Order files, each opened once and read at a job's place. */
export type OrderFiles = {
  /** One job's ciphertext, checked against its signed digest; throws `damaged`. */
  readonly read: (order: OrderRecord, sealed: SealedPlace) => Promise<Buffer>;
  /** Something of it could not be read; true the first time. */
  readonly markDamaged: (order: OrderRecord) => boolean;
  /** False for a file that is gone or was marked. */
  readonly isWhole: (order: OrderRecord) => boolean;
  /** The order's file was fetched again. */
  readonly replaced: (order: OrderRecord) => Promise<void>;
  readonly close: () => Promise<void>;
};

export function createOrderFiles(place: Place): OrderFiles {
  const files = new Map<string, Promise<FileHandle>>();
  const damaged = new Set<string>();
  const opened = (name: string): Promise<FileHandle> => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = open(join(place.orders, name), "r");
    files.set(name, file);
    file.catch(() => files.delete(name));
    return file;
  };
  return {
    read: async (order, { offset, length, digest }) => {
      try {
        return await readCiphertext(await opened(order.file), { offset: order.dataOffset + offset, length, digest });
      } catch (cause) {
        if (cause instanceof BureauError) throw cause;
        throw new BureauError("damaged", `${join(place.orders, order.file)} is gone, or cannot be read`, { cause });
      }
    },
    markDamaged: ({ file }) => {
      const isFirst = !damaged.has(file);
      damaged.add(file);
      return isFirst;
    },
    isWhole: ({ file }) => !damaged.has(file) && existsSync(join(place.orders, file)),
    replaced: async ({ file }) => {
      damaged.delete(file);
      const before = files.get(file);
      files.delete(file);
      await (await before)?.close();
    },
    close: async () => {
      await Promise.allSettled([...files.values()].map(async (file) => (await file).close()));
      files.clear();
    },
  };
}
