import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { Problem } from "../server/problem.ts";

/**
 * A person allows a further attempt at a job, beyond those that its agreement allows. Throws Problem where the job cannot
 * have that attempt.
 */
export async function approveAttempt(
  desk: Desk,
  { job, attempt, actor }: { job: string; attempt: number; actor: string },
): Promise<{ job: string; attempt: number }> {
  const { rows } = await desk.pool.query<{ recipient: string; order_id: string; person_id: string; fits: boolean }>(
    `select job.recipient, job.order_id, job.person_id, job.state = 'released' and job.attempt + 1 = $2 fits
     from job join person on person.id = job.person_id and person.presence <> 'erased' where job.id = $1`,
    [job, attempt],
  );
  const [row] = rows;
  if (row === undefined) throw new Problem(404, "unknown-job", "There is no such job");
  if (!row.fits) {
    throw new Problem(409, "attempt-refused", "Only the next attempt of a job that is released and unanswered");
  }
  await desk.keyholder.call("attempts/approve", { job, attempt, actor });
  const at = desk.now();
  const draft = {
    kind: "attempt-approved",
    recipient: row.recipient,
    reference: `${job}/${attempt}`,
    subject: row.person_id,
    actor,
    at: at.toISOString(),
    order: row.order_id,
    ...{ job, attempt },
  };
  const { rowCount } = await desk.pool.query("select from attempt_approval where job_id = $1 and attempt = $2", [
    job,
    attempt,
  ]);
  if (rowCount === 1) return { job, attempt };
  await recordEntries(desk, [draft], async (client) => {
    await client.query(
      "insert into attempt_approval (job_id, attempt, approved_by, approved_at) values ($1, $2, $3, $4)",
      [job, attempt, actor, at],
    );
  });
  return { job, attempt };
}
