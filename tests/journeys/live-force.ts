import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Stage } from "../../apps/cli/src/demo/stage.ts";
import type { Api } from "../../apps/cli/src/services/http.ts";
import {
  deskApi,
  deskDatabaseUrl,
  type Home,
  type Login,
  openHome,
  type Settings,
} from "../../apps/cli/src/services/installation.ts";
import { establishForce } from "./crash/establish-house.ts";
import { type House, keepHouse } from "./crash/house.ts";

const RECOVERY_SECONDS = 30;

/** A force in a folder of its own, with its processes running, and what a test asks of it. */
export type LiveForce = {
  readonly home: Home;
  readonly settings: Settings;
  readonly stage: Stage;
  readonly house: House;
  readonly as: (login: Login) => Api;
  readonly query: (sql: string) => Promise<Record<string, unknown>[]>;
  /** How many rows: `count("job where state = 'sealed'")`. */
  readonly count: (from: string) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** `prepare` sees the home before anything is in it; what it answers is called after everything has ended. */
export async function liveForce(options: {
  people: number;
  seed: string;
  prepare?: (home: Home) => () => void;
}): Promise<LiveForce> {
  const folder = mkdtempSync(join(tmpdir(), "tipstaff-journey-"));
  const home = openHome(folder);
  const undo = options.prepare?.(home) ?? (() => undefined);
  const { running, stage } = await establishForce({ folder, people: options.people, seed: options.seed });
  const { settings } = stage;
  const house = keepHouse(home, settings, running);
  const query = async (sql: string) => {
    const client = new pg.Client({ connectionString: deskDatabaseUrl(home) });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    ...{ home, settings, stage, house, query },
    as: (login) => deskApi(home, settings, login),
    count: async (from) => Number((await query(`select count(*) n from ${from}`))[0]?.n),
    stop: async () => {
      await house.stop();
      undo();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until it holds; an error on the way counts as not yet. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  seconds = RECOVERY_SECONDS,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(200)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}
