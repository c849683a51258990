import type { z } from "zod";
import { Problem } from "./problem.ts";

/** What came over the wire, checked; throws Problem 400 `malformed` that tells every fault by its place, no value. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 20).map((issue) => {
    const place = issue.path.join(".") || "body";
    return issue.code === "unrecognized_keys" ? `${place}: unknown key` : `${place}: ${issue.code}`;
  });
  throw new Problem(400, "malformed", "The request does not fit", { detail: faults.join("; ") });
}
