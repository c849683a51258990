import type { NoteSigner } from "@tipstaff/ledger";
import type { Logger } from "pino";
import type { FactsCache } from "./facts/facts-cache.ts";
import type { Store } from "./store/store.ts";

/** Uses of the force's secrets, each under its own name in the store. */
export const SECRET_USES = ["log", "operation", "pseudonym", "index", "fingerprint", "checkpoint", "force"] as const;
export type SecretUse = (typeof SECRET_USES)[number];

/** The force's keys in memory, as docs/spec/key-hierarchy.md names them. */
export type ForceKeys = {
  readonly wrapping: Uint8Array;
  readonly log: Uint8Array;
  readonly operation: Uint8Array;
  readonly pseudonym: Uint8Array;
  readonly index: Uint8Array;
  readonly fingerprint: Uint8Array;
  /** Its name is the log's origin: by that name witnesses and policies know the log (C2SP tlog-policy). */
  readonly checkpointSigner: NoteSigner;
  readonly forceSigner: NoteSigner;
};

/** What the keyholder's calls are given. */
export type Keyholder = {
  readonly force: string;
  readonly store: Store;
  readonly keys: ForceKeys;
  readonly factsCache: FactsCache;
  /** DEKs that may be opened in one day without the console. */
  readonly dailyOpenings: number;
  /** Numbers and rows of imports whose indexes and fingerprints may be computed in one day. */
  readonly dailyIndexes: number;
  readonly now: () => Date;
  readonly log: Logger;
};
