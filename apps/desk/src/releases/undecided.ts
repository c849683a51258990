import { rawRequestSchema } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";
import type { PreparedRelease } from "./prepare-releases.ts";

/** A release that stands in the intake and whose outcome the desk does not have yet. */
export type Undecided = {
  readonly operationId: Buffer;
  readonly identity: string;
  readonly recipient: string;
  readonly agreement: string;
  readonly job: string;
  readonly attempt: number;
  readonly person: string;
  readonly raw: PreparedRelease["raw"];
  /** Empty where the key was deleted since. */
  readonly wrapped: Buffer;
  readonly context: Buffer;
  readonly leaf: Buffer;
  readonly openings: Buffer;
  /** Hex. */
  readonly leafHash: string;
};

export function toUndecided({ request, identity, raw, secrets, entry }: PreparedRelease): Undecided {
  const { recipient, agreement, job, attempt } = request;
  return { recipient, agreement, job, attempt, identity, raw, ...secrets, ...entry };
}

type Row = {
  operation_id: Buffer;
  identity: Buffer;
  recipient: string;
  job_id: string;
  attempt: number;
  request: unknown;
  leaf_hash: Buffer;
  person_id: string;
  wrapped: Buffer | null;
  context: Buffer;
  agreement_digest: Buffer;
};

/** Reads what another process, or this one before a restart, reserved and did not finish; the oldest first. */
export async function readUndecided(
  desk: Desk,
  { before, limit }: { before: Date; limit: number },
): Promise<Undecided[]> {
  const { rows } = await desk.pool.query<Row>(
    `select r.operation_id, r.identity, r.recipient, r.job_id, r.attempt, r.request, r.leaf_hash,
       job.person_id, job.wrapped, job.context, o.agreement_digest
     from release r join job on job.id = r.job_id join "order" o on o.id = job.order_id
     where r.state in ('reserved', 'logged') and r.reserved_at < $1 order by r.reserved_at limit $2`,
    [before, limit],
  );
  const entries = await desk.sequencer.entries(rows.map((row) => row.operation_id));
  return rows.flatMap((row, at) => {
    const entry = entries[at];
    if (entry === undefined) {
      desk.log.error({ job: row.job_id, attempt: row.attempt }, "a release was reserved without an entry");
      return [];
    }
    return [toUndecidedRow(row, entry)];
  });
}

function toUndecidedRow(row: Row, entry: { leaf: Uint8Array; openings: Uint8Array }): Undecided {
  return {
    operationId: row.operation_id,
    identity: row.identity.toString("hex"),
    recipient: row.recipient,
    agreement: row.agreement_digest.toString("hex"),
    job: row.job_id,
    attempt: row.attempt,
    person: row.person_id,
    raw: rawRequestSchema.parse(row.request),
    wrapped: row.wrapped ?? Buffer.alloc(0),
    context: row.context,
    leaf: Buffer.from(entry.leaf),
    openings: Buffer.from(entry.openings),
    leafHash: row.leaf_hash.toString("hex"),
  };
}
