import { leafHash } from "@tipstaff/ledger";
import type { Restore } from "@tipstaff/ledger/postgres";
import { KEYHOLDER_BATCH } from "@tipstaff/release-protocol";
import type { Desk } from "../desk.ts";

/** What the ledger has and the database's own tables do not. */
export type Forgotten = {
  /** Entries that came back from the log's folder. */
  readonly entries: number;
  /** Operation ids, hex, of those that the keyholder decided as releases and of which the desk has no release. */
  readonly released: readonly string[];
};

/** Asks the keyholder, which remembers what it decided, about every entry that came back. */
export async function findForgotten(
  desk: Pick<Desk, "pool" | "keyholder">,
  { fromSize, toSize }: Pick<Restore, "fromSize" | "toSize">,
): Promise<Forgotten> {
  const released: string[] = [];
  for (let start = fromSize; start < toSize; start += KEYHOLDER_BATCH) {
    const { rows } = await desk.pool.query<{ operation_id: Buffer; leaf: Buffer; known: boolean }>(
      `select intake.operation_id, leaf, exists (select from release r where r.operation_id = intake.operation_id) known
       from ledger.entry join ledger.intake using (seq) where idx >= $1 and idx < $2 order by idx`,
      [start, Math.min(toSize, start + KEYHOLDER_BATCH)],
    );
    const unknown = rows.filter(({ known }) => !known);
    if (unknown.length === 0) continue;
    const { outcomes } = await desk.keyholder.call("releases/outcomes", {
      leafHashes: unknown.map(({ leaf }) => Buffer.from(leafHash(leaf)).toString("hex")),
    });
    for (const [at, { operation_id }] of unknown.entries()) {
      if (outcomes[at]?.outcome === "released") released.push(operation_id.toString("hex"));
    }
  }
  return { entries: toSize - fromSize, released };
}
