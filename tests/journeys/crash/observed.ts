import type { LoggedEntry } from "./read-leaves.ts";

/** A page file in the printer's folder: it stands for plastic. `cardNumbers` is what its text says. */
export type Page = {
  readonly place: "printer" | "spoiled" | "elsewhere";
  readonly file: string;
  readonly blank: string;
  readonly cardNumbers: readonly string[];
};

export type BureauIntent = {
  readonly job: string;
  readonly attempt: number;
  readonly blank: string;
};

export type BureauReceipt = {
  readonly job: string;
  readonly attempt: number;
  readonly result: string;
  readonly blank: string;
};

export type DeskJob = {
  readonly job: string;
  readonly state: string;
  readonly attempt: number;
  readonly cardNumber: string;
  readonly blank: string | null;
  readonly scanned: boolean;
};

export type DeskRelease = {
  readonly job: string;
  readonly attempt: number;
  readonly state: string;
  readonly leafHash: string;
  readonly operation: string;
};

export type DeskReceipt = BureauReceipt & { readonly operation: string };

export type KeyholderOutcome = { readonly leafHash: string; readonly outcome: string };

export type Unaccounted = { readonly desk: number; readonly keyholder: number };

/** The limits at one moment, while printing and killing went on. All numbers of one sample come from one snapshot. */
export type LimitSample = {
  readonly at: string;
  readonly openByLine: Readonly<Record<string, number>>;
  /** The counter, and the number that it should be. */
  readonly unaccounted: number;
  readonly trulyUnaccounted: number;
};

export type Terms = { readonly openPerLine: number; readonly unaccounted: number; readonly attempts: number };

/** All that can be seen from the outside after the rounds. */
export type Observed = {
  readonly pages: readonly Page[];
  readonly bureau: { readonly intents: readonly BureauIntent[]; readonly receipts: readonly BureauReceipt[] };
  readonly desk: {
    readonly jobs: readonly DeskJob[];
    readonly releases: readonly DeskRelease[];
    readonly receipts: readonly DeskReceipt[];
    readonly approvals: readonly { readonly job: string; readonly attempt: number }[];
  };
  readonly keyholder: { readonly outcomes: readonly KeyholderOutcome[] };
  readonly ledger: { readonly entries: readonly LoggedEntry[]; readonly verified: boolean; readonly words: string };
  readonly unaccounted: Unaccounted;
  readonly samples: readonly LimitSample[];
  readonly terms: Terms;
};
