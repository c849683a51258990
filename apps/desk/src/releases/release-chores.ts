import { recordJournalHead } from "../entries/record-journal-head.ts";
import type { Chore } from "../server/chore.ts";
import { forgetNonces } from "./nonces.ts";
import { tellHolds } from "./place-hold.ts";
import { recoverReleases } from "./recover-releases.ts";
import { settleCounters } from "./settle-counters.ts";
import { watchReceipts } from "./watch-receipts.ts";

/** What this room does by itself while the desk runs; the first look at each comes at once. */
export const RELEASE_CHORES: readonly Chore[] = [
  { name: "recover-releases", everyMs: 1000, run: recoverReleases },
  { name: "watch-receipts", everyMs: 500, run: watchReceipts },
  { name: "tell-holds", everyMs: 1000, run: tellHolds },
  { name: "settle-counters", everyMs: 1000, run: settleCounters },
  { name: "journal-head", everyMs: 60_000, run: recordJournalHead },
  { name: "forget-nonces", everyMs: 60_000, run: (desk) => forgetNonces(desk.pool, desk.now()) },
];
