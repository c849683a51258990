import type { Outcome } from "@tipstaff/release-protocol";
import { isHeld } from "../holds/hold-calls.ts";
import { numberOf, type Row, textOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";
import type { ReleaseState, TokenBucket } from "./charge-release.ts";

/** An outcome that is kept: everything but `undecided`. */
export type KeptOutcome = Exclude<Outcome, { outcome: "undecided" }>;

export type ReleaseKey = {
  readonly recipient: string;
  readonly order: string;
  readonly job: string;
  readonly attempt: number;
  readonly line: string;
  /** Hex. */
  readonly identity: string;
};

/** The one outcome of a leaf, exactly as it was first answered. `readKept` checks what the store gives back. */
export function readOutcome(
  store: Store,
  leafHash: string,
  readKept: (body: unknown) => KeptOutcome,
): KeptOutcome | undefined {
  const row = store.get("select body from outcome where leaf_hash = ?", leafHash);
  return row && readKept(JSON.parse(textOf(row, "body")));
}

/** Keeps an outcome; a leaf that has one already makes this throw. */
export function keepOutcome(
  store: Store,
  outcome: KeptOutcome,
  { identity, job, attempt }: { identity: string; job: string; attempt: number },
): void {
  store.run(
    "insert into outcome (leaf_hash, identity, job, attempt, outcome, body) values (?, ?, ?, ?, ?, ?)",
    ...[outcome.leafHash, identity, job, attempt, outcome.outcome, JSON.stringify(outcome)],
  );
}

/** What counts for one release, read inside the transaction that decides it. */
export function readReleaseState(store: Store, key: ReleaseKey): ReleaseState {
  const { recipient, job, line, attempt, identity } = key;
  const counter = store.get("select tokens, tokens_at, unaccounted from counter where recipient = ?", recipient);
  const open = store.get(
    "select count(*) as open from job where recipient = ? and line = ? and receipt is null and job <> ?",
    ...[recipient, line, job],
  );
  const lines = store.get("select count(*) as lines from line where recipient = ?", recipient);
  return {
    held: isHeld(store, recipient),
    decidedBefore: store.get("select 1 from outcome where identity = ? limit 1", identity) !== undefined,
    job: readJob(store.get("select * from job where job = ?", job)),
    approved: store.get("select 1 from approval where job = ? and attempt = ?", job, attempt) !== undefined,
    openOnLine: open === undefined ? 0 : numberOf(open, "open"),
    linePinned: store.get("select 1 from line where recipient = ? and line = ?", recipient, line) !== undefined,
    lines: lines === undefined ? 0 : numberOf(lines, "lines"),
    unaccounted: counter === undefined ? 0 : numberOf(counter, "unaccounted"),
    bucket: counter && { tokens: numberOf(counter, "tokens"), atMs: numberOf(counter, "tokens_at") },
  };
}

function readJob(row: Row | undefined): ReleaseState["job"] {
  return (
    row && {
      recipient: textOf(row, "recipient"),
      order: textOf(row, "order_id"),
      releases: numberOf(row, "releases"),
      lastAttempt: numberOf(row, "last_attempt"),
      answered: row.receipt !== null,
      accounted: numberOf(row, "accounted") === 1,
    }
  );
}

/** Writes what a release costs. */
export function keepCharge(store: Store, key: ReleaseKey, charge: { bucket: TokenBucket; first: boolean }): void {
  store.run(
    `insert into job (job, recipient, order_id, line, releases, last_attempt) values (?, ?, ?, ?, 1, ?)
     on conflict do update set line = excluded.line, releases = releases + 1, last_attempt = excluded.last_attempt`,
    ...[key.job, key.recipient, key.order, key.line, key.attempt],
  );
  store.run("insert into line (recipient, line) values (?, ?) on conflict do nothing", key.recipient, key.line);
  const { tokens, atMs } = charge.bucket;
  store.run(
    `insert into counter (recipient, tokens, tokens_at, unaccounted) values (?, ?, ?, ?)
     on conflict do update set tokens = ?2, tokens_at = ?3, unaccounted = unaccounted + ?4`,
    ...[key.recipient, tokens, atMs, charge.first ? 1 : 0],
  );
}
