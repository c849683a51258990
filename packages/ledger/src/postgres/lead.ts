import { setTimeout as delay } from "node:timers/promises";
import pg, { type Client, type ClientBase } from "pg";
import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { loadEdge } from "../storage/tile-storage.ts";
import { edgeRoot, emptyEdge } from "../tree/edge.ts";
import { cosignPublished } from "./cosign.ts";
import { beginLog, claimEpoch, type Head, markPublished, readHead, readSequenced } from "./head.ts";
import { headMisfit, signerMisfit } from "./head-fits.ts";
import type { SequencerOptions } from "./options.ts";
import { type Published, readPublished } from "./published.ts";
import { deriveStep, type Lead, publishEntries, type TickResult } from "./tick.ts";

/**
 * A leader whose session says nothing for so long is frozen: Postgres ends the session, which frees the lock for
 * another. Longer than the wait for the signer.
 */
const IDLE_SESSION_MS = 15_000;
const QUERY_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 1000;

/** The leader's own connection. `onLost` is told when it breaks while nobody is asking anything. */
export const connectLead = async (
  { pool, idleSessionMs = IDLE_SESSION_MS }: SequencerOptions,
  onLost: () => void,
): Promise<Client> => {
  // A pool keeps its password out of sight of a spread.
  const { password } = pool.options;
  const client = new pg.Client({
    ...pool.options,
    ...(password && { password }),
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on("error", onLost);
  client.on("end", onLost);
  await client.connect();
  await client.query(
    `set idle_session_timeout = ${idleSessionMs}; set idle_in_transaction_session_timeout = ${idleSessionMs}`,
  );
  return client;
};

/** Ends the connection, and with it the lead; does not wait for a server that no longer answers. */
export const closeLead = async (client: Client): Promise<void> => {
  await Promise.race([client.end().catch(() => undefined), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
};

/** Whether this connection leads now. The lock lives as long as the connection. */
export const tryLead = async (client: ClientBase, origin: string): Promise<boolean> => {
  const { rows } = await client.query<{ leads: boolean }>(
    "select pg_try_advisory_lock(hashtextextended('tipstaff/ledger/' || $1, 0)) as leads",
    [origin],
  );
  return rows[0]?.leads === true;
};

/**
 * Takes over the log as it stands: compares database and folder, brings out what was sequenced and not published, and
 * refuses to go on (`log-halted`, `log-missing`) where one of the two has lost something that the other knows.
 */
export const takeOver = async (
  options: SequencerOptions,
  client: Client,
): Promise<{
  readonly lead: Lead;
  readonly result: TickResult | undefined;
  readonly published: Published | undefined;
}> => {
  const out = await readPublished(options);
  if ((await readHead(client)) === undefined) {
    if (out) throw new LedgerError("log-missing", "the folder holds a log whose head the database does not know");
    await beginLog(client, options.origin);
  }
  const head = await claimEpoch(client);
  assertFits(options.origin, head, out);
  await assertSignerFits(options, head);
  const size = out?.size ?? 0;
  const edge = size === 0 ? emptyEdge : await loadEdge(options.tiles, size);
  if (out && !equalBytes(edgeRoot(edge), out.root))
    throw halted(`the tiles do not have the root of checkpoint ${size}`);
  const lead = { client, epoch: head.epoch, edge };
  if (head.size === size) {
    await markPublished(client, { epoch: head.epoch, size, root: head.root });
    return { lead, result: undefined, published: out && (await cosignPublished(options, lead, out)) };
  }
  const step = deriveStep(edge, await readSequenced(client, size, head.size));
  if (!equalBytes(edgeRoot(step.edge), head.root)) throw halted("the database's entries do not have its head's root");
  const result = await publishEntries(options, lead, step);
  return { lead: result.lead, result, published: result.published };
};

const halted = (why: string): LedgerError => new LedgerError("log-halted", `the log is halted: ${why}`);

const assertFits = (origin: string, head: Head, out: Published | undefined): void => {
  const misfit = headMisfit(origin, head, out);
  if (misfit !== undefined) throw halted(misfit);
};

const assertSignerFits = async ({ lastSigned }: SequencerOptions, head: Head): Promise<void> => {
  const signed = await lastSigned?.();
  const misfit = signed && signerMisfit(head, signed);
  if (misfit !== undefined) throw halted(misfit);
};
