import type { z } from "zod";
import { explainIssue } from "./explain-issue.ts";
import { Problem } from "./problem.ts";

const FAULTS_TOLD = 20;

/** What came over the wire, checked; throws Problem 400 `malformed` that tells what is required in each place, no value. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const parsed = schema.safeParse(body ?? {}, { error: explainIssue });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => toFaults(issue, []));
  const detail = [...new Set(faults)].slice(0, FAULTS_TOLD).join("; ");
  throw new Problem(400, "malformed", "The request does not fit", {
    ...{ detail, advice: "Nothing was changed. Mend what is named, and ask again." },
  });
}

/** Of the forms that a value may have, the one that it fails least is the one that was meant. */
function toFaults(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): string[] {
  const path = [...before, ...issue.path];
  if (issue.code === "invalid_union" && issue.message === UNTOLD) {
    const [meant = []] = [...issue.errors].sort((a, b) => strangeness(a) - strangeness(b));
    if (meant.length > 0) return meant.flatMap((inner) => toFaults(inner, path));
  }
  const place = path.map(String).join(".") || "body";
  return [`${place}: ${issue.message === UNTOLD ? "another value is required" : issue.message}`];
}

/** What zod says where neither a schema nor `explainIssue` has words. */
const UNTOLD = "Invalid input";

const strangeness = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((sum, { code }) => sum + (code === "unrecognized_keys" ? 10 : 1), 0);
