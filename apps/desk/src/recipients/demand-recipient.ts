import type { Desk } from "../desk.ts";
import { Problem } from "../server/problem.ts";
import { judgeRecipient } from "./recipient-rules.ts";

/** Throws Problem 404 `unknown-recipient` for one that has neither agreement, order, hold nor disclosure, nor a key here. */
export async function demandRecipient({ pool, recipients }: Pick<Desk, "pool" | "recipients">, recipient: string) {
  const { rows } = await pool.query<{ recipient: string }>(
    `select recipient from agreement union select recipient from agreement_proposal union select recipient from "order"
     union select recipient from recipient_state union select recipient from hold
     union select recipient from disclosure union select recipient from unopened_entry where recipient is not null`,
  );
  const verdict = judgeRecipient(recipient, [...Object.keys(recipients), ...rows.map((row) => row.recipient)]);
  if (verdict.ok) return;
  throw new Problem(404, "unknown-recipient", "There is no such recipient", { advice: verdict.advice });
}
