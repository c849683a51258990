import type { Pool } from "pg";
import type { LogKey } from "../formats/log-key.ts";
import type { LogStorage } from "../storage/tile-storage.ts";
import type { WitnessClient } from "../witness/witness-client.ts";
import type { KnownHead } from "./head-fits.ts";

/** What the holder of the log's key is asked. It keeps its own last size and root and demands the proof between them. */
export type SignRequest = {
  readonly origin: string;
  /** Size of the last published checkpoint, from which the proof leads. */
  readonly oldSize: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** RFC 6962, section 2.1.2; empty where the old size is 0. */
  readonly consistencyProof: readonly Uint8Array[];
};

/** As much of a logger as is used here. Nothing about people ever reaches it. */
export type SequencerLog = {
  readonly info: (facts: object, message: string) => void;
  readonly warn: (facts: object, message: string) => void;
};

/** What a sequencer works with. */
export type SequencerOptions = {
  /** The database in which `migrateLedger` was run. The leader opens one more connection with the same settings. */
  readonly pool: Pool;
  /** Served to everybody. */
  readonly tiles: LogStorage;
  /** Never served. */
  readonly openings: LogStorage;
  readonly origin: string;
  /**
   * Answers the signed note of exactly this checkpoint. A rejection is tried again, unless it is a `LedgerError` with the
   * code `signature-refused`: that halts the log.
   */
  readonly sign: (request: SignRequest) => Promise<Uint8Array>;
  /**
   * What the signer signed last (size 0 and the empty root before the first), where it can be asked: asked at each take-over,
   * so that a database and a folder that were rolled back together are noticed before anything is sequenced.
   */
  readonly lastSigned?: () => Promise<KnownHead>;
  /** After so many milliseconds of silence Postgres ends a frozen leader's session; 15,000, and longer than signing takes. */
  readonly idleSessionMs?: number;
  /** With these, no checkpoint is published before their policy's quorum cosigned it: what is logged is witnessed. */
  readonly witnesses?: WitnessClient;
  /** With these, every checkpoint read or signed must carry a valid signature. */
  readonly verifierKeys?: readonly LogKey[];
  /** Told of every fault: those that are tried again, and the one that halts. */
  readonly onError?: (error: unknown) => void;
  readonly log?: SequencerLog;
};
