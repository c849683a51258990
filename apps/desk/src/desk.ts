import type { KeyObject } from "node:crypto";
import type { Sequencer } from "@tipstaff/ledger/postgres";
import type { KeyholderClient } from "@tipstaff/release-protocol/node";
import type { Pool } from "pg";
import type { Logger } from "pino";

/** What the desk's rooms are given: one plain record, made once in compose.ts. */
export type Desk = {
  readonly pool: Pool;
  readonly keyholder: KeyholderClient;
  readonly sequencer: Sequencer;
  readonly log: Logger;
  readonly now: () => Date;
  /** The controller's id, as in its agreements. */
  readonly force: string;
  /** The log's origin: the name of its key. */
  readonly origin: string;
  /** The address by which bureaux reach this desk; signed requests cover it. */
  readonly publicUrl: string;
  readonly replyKey: { readonly keyid: string; readonly privateKey: KeyObject };
  /** Verifier key (signed note) of the force, as the keyholder tells it. */
  readonly forceVerifierKey: string;
  /** Verifier key (signed note) of each recipient that may sign agreements. */
  readonly recipients: Readonly<Record<string, string>>;
  readonly folders: {
    readonly data: string;
    readonly tiles: string;
    readonly openings: string;
    readonly orders: string;
    readonly templates: string;
    readonly reports: string;
  };
};
