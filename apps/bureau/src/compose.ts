import type { Logger } from "pino";
import type { Bureau } from "./bureau.ts";
import { createDeskClient } from "./desk/desk-client.ts";
import { readKeys } from "./installation/keys.ts";
import { readPins } from "./installation/pins.ts";
import { openPlace, readSettings } from "./installation/place.ts";
import { readToken } from "./installation/token.ts";
import { createCheckpointReader } from "./lines/checkpoint-reader.ts";
import { markLeftIntents } from "./lines/left-intents.ts";
import { createOrderFiles } from "./orders/order-files.ts";
import { createPrinter } from "./printer/printer.ts";
import { createReceiptSender } from "./receipts/receipt-sender.ts";
import { openBureauStore, type Store } from "./store/store.ts";

/** Connections beside those of the lines: receipts under way, and questions of the operator. */
const SPARE_CONNECTIONS = 8;

export type RunningBureau = {
  readonly bureau: Bureau;
  readonly close: (sessionsEnded: () => Promise<unknown>) => Promise<void>;
};

/**
 * Puts the bureau together from its folder, as its last life left it: every intent without an outcome becomes uncertain
 * before anything else may happen. Throws where a part of it is missing; nothing is made anew.
 */
export async function composeBureau(options: { folder: string; log: Logger; now: () => Date }): Promise<RunningBureau> {
  const place = openPlace(options.folder);
  const settings = readSettings(place);
  const keys = readKeys(place, settings.recipient);
  const pins = readPins(place, keys);
  readToken(place);
  const store = openBureauStore(place.store);
  try {
    return await composeOn(store, { ...options, place, settings, keys, pins });
  } catch (error) {
    store.close();
    throw error;
  }
}

type Parts = { log: Logger; now: () => Date } & Pick<Bureau, "place" | "settings" | "keys" | "pins">;

async function composeOn(store: Store, parts: Parts): Promise<RunningBureau> {
  const { log, now, place, settings, keys, pins } = parts;
  const printer = await createPrinter(settings.printer);
  const lastBlank = await printer.lastBlank(settings.blankPrefix);
  await store.write(() => store.raiseBlanks(lastBlank));
  await markLeftIntents({ store, now, log });
  const stop = new AbortController();
  const { signal } = stop;
  const desk = createDeskClient({ pins, connections: settings.lines + SPARE_CONNECTIONS, now });
  const orderFiles = createOrderFiles(place);
  const receipts = createReceiptSender({ desk, keys, store, log, now, signal });
  const readCheckpoint = createCheckpointReader(pins.log);
  return {
    bureau: {
      ...{ place, settings, keys, pins, store, desk, readCheckpoint, orderFiles, printer, receipts, log, now, signal },
    },
    close: async (sessionsEnded) => {
      stop.abort();
      await desk.close();
      await sessionsEnded();
      await receipts.drained();
      await orderFiles.close();
      store.close();
    },
  };
}
