import type { Logger } from "pino";
import type { DeskClient } from "./desk/desk-client.ts";
import type { BureauKeys } from "./installation/keys.ts";
import type { Pins } from "./installation/pins.ts";
import type { BureauSettings, Place } from "./installation/place.ts";
import type { ReadCheckpoint } from "./lines/checkpoint-reader.ts";
import type { OrderFiles } from "./orders/order-files.ts";
import type { Printer } from "./printer/printer.ts";
import type { ReceiptSender } from "./receipts/receipt-sender.ts";
import type { Store } from "./store/store.ts";

/** What every room of the bureau is given. */
export type Bureau = {
  readonly place: Place;
  readonly settings: BureauSettings;
  readonly keys: BureauKeys;
  readonly pins: Pins;
  readonly store: Store;
  readonly desk: DeskClient;
  readonly readCheckpoint: ReadCheckpoint;
  readonly orderFiles: OrderFiles;
  readonly printer: Printer;
  readonly receipts: ReceiptSender;
  readonly log: Logger;
  readonly now: () => Date;
  /** Ends every wait when the process is asked to stop. */
  readonly signal: AbortSignal;
};
