import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import type { Keyholder } from "../keyholder.ts";
import { numberOf, textOf } from "../store/columns.ts";

/** What was released of these jobs and counted since, in the order given; `null` for a job that was never released. */
export function recallJobs(
  { store }: Keyholder,
  { jobs }: KeyholderRequest<"jobs/recall">,
): KeyholderResponse<"jobs/recall"> {
  const recalled = jobs.map((job) => {
    const row = store.get("select recipient, line, last_attempt, receipt, accounted from job where job = ?", job);
    if (row === undefined) return null;
    return {
      recipient: textOf(row, "recipient"),
      line: textOf(row, "line"),
      attempt: numberOf(row, "last_attempt"),
      answered: row.receipt !== null,
      accounted: numberOf(row, "accounted") === 1,
    };
  });
  return { jobs: recalled };
}
