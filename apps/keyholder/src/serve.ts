import { openKeyFile } from "@tipstaff/sealing";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { z } from "zod";
import { createFactsCache } from "./facts/facts-cache.ts";
import { filesOf } from "./folder.ts";
import { openForceKeys } from "./force-keys.ts";
import type { Keyholder } from "./keyholder.ts";
import { serveConsoleCalls, serveKeyholderCalls } from "./served-calls.ts";
import { createCallServer } from "./server/call-server.ts";
import { clearSocket, closeToOthers } from "./server/socket.ts";
import { readSetting } from "./settings.ts";
import { openStore } from "./store/store.ts";

export type ServeOptions = {
  readonly folder: string;
  readonly socket: string;
  readonly consoleSocket: string;
  /** The desk runs as another OS user, of the group that this process has. */
  readonly isDeskInGroup: boolean;
  readonly passphrase: string | undefined;
  readonly dailyOpenings: number;
  readonly dailyIndexes: number;
  readonly now: () => Date;
  readonly log: Logger;
};

/** Opens a keyholder that `init` made; refuses where key file or store is missing, exposed, misplaced or not its own. */
export async function openKeyholder(options: ServeOptions): Promise<Keyholder> {
  const { passphrase, dailyOpenings, dailyIndexes, now, log } = options;
  const files = filesOf(options.folder);
  const store = openStore(files.store);
  try {
    const force = readSetting(store, "force");
    const origin = readSetting(store, "origin");
    const forbidden = readSetting(store, "forbidden-folders");
    if (force === undefined || origin === undefined || forbidden === undefined)
      throw new Error("the store is not whole: restore it");
    const forbiddenFolders = z.array(z.string()).parse(JSON.parse(forbidden));
    const place = { path: files.keyFile, forbiddenFolders, ...(passphrase === undefined ? {} : { passphrase }) };
    const keys = openForceKeys(store, { key: await openKeyFile(place), force, origin });
    return { force, store, keys, factsCache: createFactsCache(), dailyOpenings, dailyIndexes, now, log };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Serves both sockets; the answer ends them and closes the store. */
export async function serveKeyholder(options: ServeOptions): Promise<{ stop: () => Promise<void> }> {
  await clearSocket(options.socket);
  await clearSocket(options.consoleSocket);
  const keyholder = await openKeyholder(options);
  const desk = createCallServer(serveKeyholderCalls(keyholder), options.log);
  const console = createCallServer(serveConsoleCalls(keyholder), options.log);
  await listen(desk, options.socket, { isOpenToGroup: options.isDeskInGroup });
  await listen(console, options.consoleSocket, { isOpenToGroup: false });
  return {
    stop: async () => {
      await Promise.all([desk.close(), console.close()]);
      keyholder.store.close();
    },
  };
}

async function listen(app: FastifyInstance, path: string, options: { isOpenToGroup: boolean }): Promise<void> {
  await app.listen({ path });
  closeToOthers(path, options);
}
