import { existsSync, readdirSync } from "node:fs";
import { join, parse as parsePath } from "node:path";
import pg from "pg";
import { z } from "zod";
import { CliError } from "../../../apps/cli/src/cli-error.ts";
import type { Api } from "../../../apps/cli/src/services/http.ts";
import {
  bureauApi,
  deskApi,
  deskDatabaseUrl,
  type Home,
  type Login,
  type Settings,
} from "../../../apps/cli/src/services/installation.ts";
import { TERMS } from "./terms.ts";
import { within } from "./within.ts";

const ANSWER_SECONDS = 30;
const RUN_MINUTES = 480;
/** How long a line waits for a hold or an absent desk before its print call ends. */
const PATIENCE_SECONDS = 8;
/** A print call may go through every wait that the bureau allows itself, one after another. */
const PRINT_SECONDS = 90;

const statusSchema = z.looseObject({
  printing: z.boolean(),
  jobs: z.record(z.string(), z.int()),
  uncertain: z.array(z.looseObject({ job: z.string(), blank: z.string() })),
  refused: z.record(z.string(), z.int()),
});
export type BureauStatus = z.infer<typeof statusSchema>;

const holdsSchema = z.looseObject({
  holds: z.array(z.looseObject({ id: z.string(), reason: z.string(), liftedAt: z.string().nullish() })),
});

/** Which cards of a print call spoil, and which jam their line, counted from 1. */
export type Faults = { readonly spoil: readonly number[]; readonly loseReceipt: readonly number[] };

/** What the people of both sides do while processes come and go. Everything here may fail with the process that it asks. */
export type Production = {
  readonly openRun: (order: string, jobs: number) => Promise<void>;
  /** Tells the bureau to print all that is open. */
  readonly print: (faults?: Faults) => Promise<void>;
  readonly status: () => Promise<BureauStatus>;
  /** An operator looks at the blank of each uncertain job and signs what came of it; answers how many. */
  readonly resolveUncertain: () => Promise<number>;
  /** Attempts beyond the agreement's that the bureau waits for; answers how many were approved. */
  readonly approveAttempts: () => Promise<number>;
  /** Two people lift each hold; answers the reasons of those that were lifted. */
  readonly liftHolds: () => Promise<string[]>;
  /** Scans in what lies in the printer's folder, but for the last `except`; answers how many are newly in. */
  readonly receive: (except: number) => Promise<number>;
};

export function directProduction(home: Home, settings: Settings): Production {
  const databaseUrl = deskDatabaseUrl(home);
  const at = (login: Login): Api => bounded(deskApi(home, settings, login), "desk");
  const bureau = (): Api => bounded(bureauApi(home, settings), "bureau");
  const status = async () => statusSchema.parse(await bureau().get("/status"));
  const scanned = new Set<string>();
  return {
    status,
    openRun: async (order, jobs) => {
      await at("production.lead").post("/api/runs", { order, jobs, untilMinutes: RUN_MINUTES });
    },
    print: async (faults) => {
      const api = bureauApi(home, settings);
      const call = async (path: string, body: object) =>
        within(PRINT_SECONDS, `bureau: POST ${path}`, api.post(path, body));
      await call("/fetch", {});
      await call("/print", { patienceSeconds: PATIENCE_SECONDS, ...faults });
    },
    resolveUncertain: async () => {
      const { uncertain } = await status();
      for (const { job, blank } of uncertain) {
        const result = existsSync(join(home.printer, `${blank}.pdf`)) ? "produced" : "spoiled";
        await bureau().post("/resolve", { job, result, operator: "operator-7" });
      }
      return uncertain.length;
    },
    approveAttempts: async () => {
      const { refused } = await status();
      if (!refused["attempt-refused"]) return 0;
      const waiting = await jobsWithoutAttempts(databaseUrl);
      for (const job of waiting) await at("security.one").post("/api/attempts/approve", job);
      return waiting.length;
    },
    liftHolds: async () => {
      const { holds } = holdsSchema.parse(await at("security.one").get("/api/holds"));
      const standing = holds.filter(({ liftedAt }) => !liftedAt);
      const lifted: string[] = [];
      const isUncertain = (await status()).uncertain.length > 0;
      for (const { id, reason } of standing) if (await liftByTwo(at, id, isUncertain)) lifted.push(reason);
      return lifted;
    },
    receive: async (except) => {
      const blanks = [home.printer, join(home.printer, "spoiled")].flatMap(blanksIn).sort();
      const scans = blanks.slice(0, Math.max(0, blanks.length - except)).filter((blank) => !scanned.has(blank));
      if (scans.length === 0) return 0;
      const refused = await scanIn(at("front.desk"), scans);
      for (const [scan, blank] of scans.entries()) if (!refused.has(scan)) scanned.add(blank);
      return scans.length - refused.size;
    },
  };
}

const receivedSchema = z.looseObject({ refused: z.array(z.looseObject({ scan: z.int() })) });

/** Answers the places of those that the force does not know yet: their receipts are on the way. */
async function scanIn(desk: Api, blanks: readonly string[]): Promise<Set<number>> {
  try {
    const answer = await desk.post("/api/cards/receive", { scans: blanks.map((blank) => ({ blank })) });
    return new Set(receivedSchema.parse(answer).refused.map(({ scan }) => scan));
  } catch (error) {
    if (!(error instanceof CliError && error.code === "refused")) throw error;
    return new Set(blanks.keys());
  }
}

const jobSchema = z.array(z.object({ job: z.string(), attempt: z.int() }));

/** Jobs that were released as often as the agreement allows, and never printed: their next attempt is a person's word. */
async function jobsWithoutAttempts(databaseUrl: string): Promise<z.infer<typeof jobSchema>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(
      `select id job, attempt + 1 attempt from job where state = 'released' and attempt >= ${TERMS.attempts}
       and not exists (select from attempt_approval a where a.job_id = job.id and a.attempt = job.attempt + 1)`,
    );
    return jobSchema.parse(rows);
  } catch (error) {
    // As every client of a server that has just been killed sees it; whoever insists asks again.
    throw new CliError("not-running", `The database does not answer (${String(error)}).`, "");
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Where no blank was touched there will be no receipt, so that the hold is lifted despite: another attempt follows. */
async function liftByTwo(at: (login: Login) => Api, hold: string, isUncertain: boolean): Promise<boolean> {
  const path = `/api/holds/${hold}/lift`;
  const despite = isUncertain ? {} : { despite: "no blank was touched; another attempt follows" };
  try {
    await at("security.one").post(path, despite);
  } catch (error) {
    if (isRefusal(error, "not-looked-into") || isRefusal(error, "already-lifted")) return false;
    if (!isRefusal(error, "same-person")) throw error;
  }
  try {
    await at("security.two").post(path, despite);
  } catch (error) {
    // The answer to an earlier call was lost; the hold was lifted by it.
    if (!isRefusal(error, "already-lifted")) throw error;
  }
  return true;
}

const isRefusal = (error: unknown, code: string) =>
  error instanceof CliError && error.code === "refused" && error.message.includes(`[${code}]`);

function blanksIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".pdf"))
    .map((entry) => parsePath(entry.name).name);
}

/** Every answer has its time; one that does not come is what `nothing hangs` forbids. */
function bounded(api: Api, name: string): Api {
  return {
    get: (path) => within(ANSWER_SECONDS, `${name}: GET ${path.split("?")[0]}`, api.get(path)),
    post: (path, body) => within(ANSWER_SECONDS, `${name}: POST ${path}`, api.post(path, body)),
    stream: api.stream,
  };
}
