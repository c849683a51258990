import type { Desk } from "../desk.ts";
import { recordEntries } from "./record-entries.ts";

/** Puts the head of the keyholder's journal on the ledger where it moved on; answers whether it did. */
export async function recordJournalHead(desk: Desk): Promise<boolean> {
  const { size, head } = await desk.keyholder.call("journal/head", {});
  const known = await desk.pool.query("select from journal_head where size = $1", [size]);
  if (known.rows.length > 0) return false;
  const draft = {
    kind: "journal-head",
    reference: String(size),
    at: desk.now().toISOString(),
    detail: JSON.stringify({ size, head }),
  };
  await recordEntries(desk, [draft], async (client) => {
    const digest = Buffer.from(head, "hex");
    await client.query("insert into journal_head (size, head, at) values ($1, $2, $3)", [size, digest, desk.now()]);
  });
  return true;
}
