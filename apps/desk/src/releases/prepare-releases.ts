import { type EntryDraft, releaseDetail } from "@tipstaff/release-protocol";
import { KeyholderError } from "@tipstaff/release-protocol/node";
import type { Desk } from "../desk.ts";
import { type PreparedEntry, prepareEntries } from "../entries/prepare-entries.ts";
import type { AskedRelease } from "./asked-release.ts";

/** What the keyholder needs besides the request, as it stood before the transaction. */
export type JobSecrets = { readonly person: string; readonly wrapped: Buffer; readonly context: Buffer };

/** A release whose entry is ready to be logged, if the transaction allows it. */
export type PreparedRelease = AskedRelease & {
  readonly secrets: JobSecrets;
  /** The person's count that the entry was numbered after. */
  readonly count: number;
  readonly entry: PreparedEntry;
};

type SnapshotRow = {
  id: string;
  person_id: string;
  wrapped: Buffer;
  context: Buffer;
  tag_n: string;
};

/**
 * Has the keyholder prepare the entries of those that could be released at all, by identity. At most one a person: the
 * second would be numbered after an entry that may never be.
 */
export async function prepareReleases(
  desk: Desk,
  asked: readonly AskedRelease[],
  at: Date,
): Promise<{ prepared: Map<string, PreparedRelease>; deferred: Set<string> }> {
  const { rows } = await desk.pool.query<SnapshotRow>({
    name: "release-snapshot",
    text: `select job.id, job.person_id, job.wrapped, job.context, person.tag_n
      from job join person on person.id = job.person_id
      where job.id = any($1::uuid[]) and job.wrapped is not null and person.presence <> 'erased'`,
    values: [asked.map(({ request }) => request.job)],
  });
  const snapshots = new Map(rows.map((row) => [row.id, row]));
  const people = new Set<string>();
  const deferred = new Set<string>();
  const candidates: { asked: AskedRelease; row: SnapshotRow; draft: EntryDraft }[] = [];
  for (const one of asked) {
    const row = snapshots.get(one.request.job);
    if (row === undefined) continue;
    if (people.has(row.person_id)) {
      deferred.add(one.identity);
      continue;
    }
    people.add(row.person_id);
    candidates.push({ asked: one, row, draft: toDraft(one, row, at) });
  }
  const entries = await prepareEach(
    desk,
    candidates.map(({ draft }) => draft),
  );
  const prepared = new Map<string, PreparedRelease>();
  for (const [place, { asked: one, row }] of candidates.entries()) {
    const entry = entries[place];
    if (entry === undefined) continue;
    const secrets = { person: row.person_id, wrapped: row.wrapped, context: row.context };
    prepared.set(one.identity, { ...one, secrets, count: Number(row.tag_n), entry });
  }
  return { prepared, deferred };
}

function toDraft({ request, identity }: AskedRelease, row: SnapshotRow, at: Date): EntryDraft {
  return {
    kind: "release",
    recipient: request.recipient,
    reference: `${request.job}/${request.attempt}/${identity.slice(0, 16)}`,
    subject: row.person_id,
    n: Number(row.tag_n) + 1,
    at: at.toISOString(),
    agreement: request.agreement,
    order: request.order,
    job: request.job,
    attempt: request.attempt,
    request: identity,
    detail: releaseDetail(request),
    wrapped: { key: row.wrapped.toString("base64url"), context: row.context.toString("base64url") },
  };
}

/** All in one call; where the keyholder refuses, one by one, so that one bad job stops nobody else's. */
async function prepareEach(desk: Desk, drafts: readonly EntryDraft[]): Promise<(PreparedEntry | undefined)[]> {
  if (drafts.length === 0) return [];
  try {
    return await prepareEntries(desk.keyholder, drafts);
  } catch (error) {
    if (!(error instanceof KeyholderError) || error.code !== "keyholder-refused") throw error;
    if (drafts.length === 1) {
      desk.log.warn({ job: drafts[0]?.job, reason: error.reason }, "the keyholder prepares no entry for this job");
      return [undefined];
    }
  }
  const each: (PreparedEntry | undefined)[] = [];
  for (const draft of drafts) each.push(...(await prepareEach(desk, [draft])));
  return each;
}
