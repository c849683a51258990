import { join, resolve } from "node:path";

/** The two files of a keyholder's folder. */
export const filesOf = (folder: string): { folder: string; keyFile: string; store: string } => {
  const path = resolve(folder);
  return { folder: path, keyFile: join(path, "key"), store: join(path, "store.db") };
};
