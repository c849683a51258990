import { cpSync, createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import copyStreams from "pg-copy-streams";
import { CliError } from "../cli-error.ts";
import type { Home } from "../services/installation.ts";

/** Takes what a thief at the bureau takes: its database, files and backups. */
export function copyBureau(home: Home, loot: string): string[] {
  const folder = join(loot, "bureau");
  cpSync(home.bureau, folder, { recursive: true });
  return [folder];
}

/**
 * Takes what a thief at the force takes, without the keyholder's store: every table, the database's own files, the
 * desk's folders and the whole ledger, openings included.
 */
export async function copyForce(home: Home, databaseUrl: string, loot: string): Promise<string[]> {
  const tables = join(loot, "tables");
  mkdirSync(tables, { recursive: true });
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect().catch((cause: Error) => {
    const advice = "Start it, with everything else or alone: tipstaff serve postgres";
    throw new CliError("failed", `The force's database does not answer (${cause.message}).`, advice);
  });
  try {
    const { rows } = await client.query<{ schema: string; name: string }>(
      "select schemaname as schema, tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    for (const { schema, name } of rows) {
      const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
      const dump = client.query(copyStreams.to(`copy ${table} to stdout (format binary)`));
      await pipeline(dump, createWriteStream(join(tables, `${schema}.${name}`)));
    }
    await client.query("checkpoint");
  } finally {
    await client.end();
  }
  const folders = [
    [home.postgres, "postgres"],
    [home.desk, "desk"],
    [home.tiles, "tiles"],
    [home.openings, "openings"],
    [home.logs, "logs"],
  ] as const;
  return [tables, ...folders.map(([from, name]) => copyFolder(from, join(loot, name)))];
}

function copyFolder(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  return to;
}
