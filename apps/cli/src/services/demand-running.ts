import { createKeyholderClient } from "@tipstaff/release-protocol/node";
import pg from "pg";
import { CliError } from "../cli-error.ts";
import { deskDatabaseUrl, type Home } from "./installation.ts";

const DATABASE_ADVICE = "Start it: tipstaff serve all (or tipstaff serve postgres, which starts it alone)";
const WAIT_MS = 10_000;

/** Throws CliError `not-running` where the desk's database does not take a connection. */
export async function demandDatabase(home: Home): Promise<void> {
  const client = new pg.Client({ connectionString: deskDatabaseUrl(home), connectionTimeoutMillis: WAIT_MS });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw new CliError("not-running", `The database does not answer${code}.`, DATABASE_ADVICE);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Throws KeyholderError `keyholder-unreachable` where nobody answers at the desk's socket of the keyholder. */
export async function demandKeyholder(home: Home): Promise<void> {
  const keyholder = createKeyholderClient({ socketPath: home.keyholderSocket });
  try {
    await keyholder.call("status", {});
  } finally {
    keyholder.close();
  }
}
