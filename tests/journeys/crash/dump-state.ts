import pg from "pg";
import type { Home } from "../../../apps/cli/src/services/installation.ts";
import type { Production } from "./production.ts";
import { within } from "./within.ts";

const SECONDS = 10;
const QUERIES = {
  "jobs that did not end": `select id, state, attempt, line, wrapped is not null "hasKey" from job
     where state not in ('produced', 'spoiled', 'cancelled', 'expired') limit 40`,
  "releases not decided": `select job_id, attempt, state, reserved_at from release
     where state in ('reserved', 'logged') limit 40`,
  "job states": "select state, count(*)::int n from job group by state",
  lines: "select line, open, encode(chain, 'hex') chain from line order by line",
  counters: "select recipient, unaccounted, tokens from recipient_state",
  holds: "select id, reason, placed_at, lifted_at, detail from hold order by placed_at desc limit 10",
  runs: "select state, count(*)::int n from run group by state",
};

/** Where everything stands, for whoever must find out why it hangs: ids, states and counts, nothing about people. */
export async function dumpState(given: { home: Home; databaseUrl: string; production: Production }): Promise<string> {
  const parts: string[] = [`logs: ${given.home.logs}`];
  const tell = async (what: string, ask: () => Promise<unknown>) => {
    try {
      parts.push(`${what}: ${JSON.stringify(await within(SECONDS, what, ask()), null, 1)}`);
    } catch (error) {
      parts.push(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  };
  await tell("bureau", () => given.production.status());
  const client = new pg.Client({ connectionString: given.databaseUrl, connectionTimeoutMillis: 3000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    for (const [what, sql] of Object.entries(QUERIES)) await tell(what, async () => (await client.query(sql)).rows);
  } catch (error) {
    parts.push(`database: ${error instanceof Error ? error.message : error}`);
  } finally {
    await client.end().catch(() => undefined);
  }
  return parts.join("\n");
}
