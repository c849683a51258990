import { type KeyholderRequest, type KeyholderResponse, keyholderCalls } from "@tipstaff/release-protocol";
import type { Keyholder } from "../keyholder.ts";
import type { Store } from "../store/store.ts";
import { type KeptOutcome, readOutcome } from "./release-store.ts";

const kept = keyholderCalls["releases/decide"].response.shape.outcomes.element;

function readKept(body: unknown): KeptOutcome {
  const outcome = kept.parse(body);
  if (outcome.outcome === "undecided") throw new Error("the store holds an outcome that is none");
  return outcome;
}

/** The outcome kept for a leaf, by its hash in hex. */
export const findOutcome = (store: Store, leafHash: string): KeptOutcome | undefined =>
  readOutcome(store, leafHash, readKept);

/** Outcomes kept for these leaves, `null` where none is. */
export function readOutcomes(
  { store }: Keyholder,
  { leafHashes }: KeyholderRequest<"releases/outcomes">,
): KeyholderResponse<"releases/outcomes"> {
  return { outcomes: leafHashes.map((hash) => findOutcome(store, hash) ?? null) };
}
