import { appendIntake } from "@tipstaff/ledger/postgres";
import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { PoolClient } from "pg";
import { DeskError } from "../server/desk-error.ts";
import type { PreparedEntry } from "./prepare-entries.ts";

/** Puts entries into the intake within the client's transaction; an event that was recorded before breaks it off. */
export async function appendEntries(client: PoolClient, entries: readonly PreparedEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += KEYHOLDER_BATCH) {
    const results = await appendIntake(client, entries.slice(start, start + KEYHOLDER_BATCH));
    // Also a duplicate: the person's count has moved on for it, and its number would be missing in the log.
    if (results.some((result) => result !== "accepted")) {
      throw new DeskError("broken-invariant", "This event stands on the ledger already; nothing was recorded");
    }
  }
}
