import { type CategoryId, isCategoryId, type PostSensitivity, postSensitivities } from "@tipstaff/agreement";
import type { DisclosureFacts } from "@tipstaff/sealing";

export type DisclosureSubject = {
  readonly postSensitivity: PostSensitivity;
  readonly cardKind: string;
  readonly categories: readonly CategoryId[];
};

/** A disclosure in the agreement's words; `undefined` for a post sensitivity or category that it does not know. */
export function toSubject({ postSensitivity, cardKind, categories }: DisclosureFacts): DisclosureSubject | undefined {
  const known = postSensitivities.find((sensitivity) => sensitivity === postSensitivity);
  if (known === undefined || !categories.every(isCategoryId)) return undefined;
  return { postSensitivity: known, cardKind, categories };
}
