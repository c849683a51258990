import type { Limits } from "@tipstaff/agreement";
import type { Custody, JobState, Validity } from "../cards/states.ts";
import type { TokenBucket } from "../releases/token-bucket.ts";

/** A job as the database has it, or as it is to be. Instants in RFC 3339. */
export type JobRow = {
  readonly job: string;
  readonly recipient: string;
  /** Null for a job of which the database knows nothing but what the log says. */
  readonly card: string | null;
  /** Of such a job: the order and the agreement that its entries name; empty where they name none. */
  readonly logged: { readonly order: string; readonly agreement: string } | undefined;
  readonly state: JobState;
  readonly attempt: number;
  readonly line: string | null;
  readonly releaseOperation: string | null;
  readonly releasedAt: string | null;
  readonly receiptAt: string | null;
  readonly scannedAt: string | null;
  readonly blank: string | null;
  /** It has a receipt, which is final. */
  readonly answered: boolean;
};

export type CardRow = {
  readonly card: string;
  readonly validity: Validity;
  readonly custody: Custody;
  readonly revokedReason: string | null;
};

/** What the restored database says about everything that the log's entries name. */
export type KnownState = {
  /** Operation ids of releases that it has. */
  readonly releases: ReadonlySet<string>;
  readonly jobs: ReadonlyMap<string, JobRow>;
  readonly cards: ReadonlyMap<string, CardRow>;
  /** Chain values, hex, by `lineKey`. */
  readonly lines: ReadonlyMap<string, string>;
  readonly buckets: ReadonlyMap<string, TokenBucket>;
  /** Rate limits by an agreement's digest. */
  readonly limits: ReadonlyMap<string, Pick<Limits, "ratePerSecond" | "burst">>;
  /** Confirmed restarts of lines. */
  readonly restarts: ReadonlySet<string>;
  /** Holds, and whether each is lifted. */
  readonly holds: ReadonlyMap<string, boolean>;
  readonly openRuns: ReadonlySet<string>;
  /** By `attemptKey`. */
  readonly approvals: ReadonlySet<string>;
  /** Lines by job, as the keyholder remembers them. */
  readonly recalledLines: ReadonlyMap<string, string>;
};

export const lineKey = (recipient: string, line: string): string => `${recipient} ${line}`;
export const attemptKey = (job: string, attempt: number): string => `${job}/${attempt}`;
