import type { Pool } from "pg";

/** A bureau asked for an attempt that a person must approve first; asking again changes nothing. */
export async function noteWaiting(pool: Pool, asked: { job: string; attempt: number; at: Date }): Promise<void> {
  await pool.query(
    "insert into attempt_wanted (job_id, attempt, first_asked_at) values ($1, $2, $3) on conflict do nothing",
    [asked.job, asked.attempt, asked.at],
  );
}

/** A job that was released and has no receipt. It names no person. */
export type ListedRelease = {
  readonly job: string;
  readonly recipient: string;
  readonly order: string;
  readonly line: string;
  /** The one that waits for a person's approval, or else the last one made. */
  readonly attempt: number;
  readonly waiting: boolean;
  /** When it was first asked for, or else when the job was released. */
  readonly since: Date;
};

/** The releases without a receipt, or those alone whose further attempt waits for approval; the oldest first. */
export async function listReleases(
  pool: Pool,
  { recipient, waiting }: { recipient: string | undefined; waiting: boolean },
): Promise<ListedRelease[]> {
  const { rows } = await pool.query<ListedRelease>(
    `select job.id job, job.recipient, coalesce(job.order_id, job.logged_order) "order", job.line, coalesce(w.attempt, job.attempt) attempt,
       w.attempt is not null waiting, coalesce(w.first_asked_at, job.released_at) since
     from job left join attempt_wanted w on w.job_id = job.id and w.attempt = job.attempt + 1
       and not exists (select from attempt_approval a where a.job_id = w.job_id and a.attempt = w.attempt)
     where job.state = 'released' and ($1::text is null or job.recipient = $1) and (not $2 or w.attempt is not null)
     order by since, job limit 1000`,
    [recipient ?? null, waiting],
  );
  return rows;
}
