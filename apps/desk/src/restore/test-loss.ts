import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseVerifierKey } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { rebuildDatabase } from "@tipstaff/ledger/postgres";
import type { FastifyInstance } from "fastify";
import { composeDesk } from "../compose.ts";
import type { TestDesk } from "../database/test-desk.ts";
import type { TestLogin } from "../database/test-staff.ts";
import type { Desk } from "../desk.ts";
import { createServer } from "../server/server.ts";
import { startWork } from "../server/work.ts";

export type RunningDesk = { readonly desk: Desk; readonly app: FastifyInstance; readonly stop: () => Promise<void> };

/** What can be lost, and kept copies of: the database's folder and the keyholder's. */
export type Losable = "postgres" | "keys";

const copy = (from: string, to: string): void => {
  const done = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`cp: ${done.stderr}`);
};

/** Copies the database as it lies there while it is ended, as a cold backup is made; the desk's pool comes back by itself. */
export async function keepDatabase(test: TestDesk, name: string): Promise<void> {
  await test.postgres.stop();
  copy(join(test.folder, "postgres"), join(test.folder, name));
  await test.postgres.start();
}

/** The keyholder is ended with SIGKILL for the copy, and runs again. */
export async function keepKeys(test: TestDesk, name: string): Promise<void> {
  await test.keyholder().kill("SIGKILL");
  copy(join(test.folder, "keys"), join(test.folder, name));
  await test.restartKeyholder();
}

/** An old copy takes the place of what is there, which is kept as `aside` where it is named. */
export async function putBack(test: TestDesk, what: Losable, { from, aside }: { from: string; aside?: string }) {
  const place = join(test.folder, what);
  if (what === "postgres") await test.postgres.kill();
  else await test.keyholder().kill("SIGKILL");
  if (aside !== undefined) copy(place, join(test.folder, aside));
  rmSync(place, { recursive: true });
  copy(join(test.folder, from), place);
  if (what === "postgres") await test.postgres.start();
  else await test.restartKeyholder();
}

/** `tipstaff ledger rebuild --from-folder`. */
export async function rebuildFromFolder({ desk, config }: TestDesk): Promise<void> {
  const { pool, keyholder, origin } = desk;
  const { logVerifierKey } = await keyholder.call("status", {});
  await rebuildDatabase({
    ...{ pool, origin, verifierKeys: [parseVerifierKey(logVerifierKey)] },
    tiles: createFolderStorage(config.folders.tiles),
    openings: createFolderStorage(config.folders.openings),
  });
}

/** A desk that starts as a process of its own would, with everything that it does at its start and by itself. */
export async function startDesk({ config }: TestDesk): Promise<RunningDesk> {
  const { desk, close } = await composeDesk(config);
  desk.sequencer.start();
  const stop = async () => {
    await desk.sequencer.stop();
    await close();
  };
  try {
    const work = await startWork(desk);
    const app = createServer(desk);
    await app.ready();
    return {
      ...{ desk, app },
      stop: async () => {
        await app.close();
        await work.stop();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The test's desk behind whichever server is the current one. */
export function behind(test: TestDesk, current: () => FastifyInstance): TestDesk {
  const app = new Proxy(test.app, { get: (_target, name) => Reflect.get(current(), name) });
  const call = async (method: "GET" | "POST", login: TestLogin, { url, body }: { url: string; body?: unknown }) => {
    const headers = { authorization: `Bearer ${test.as(login).token}`, "content-type": "application/json" };
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const { statusCode, body: text } = await current().inject({ method, url, headers, ...payload });
    return { status: statusCode, text, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    ...test,
    app,
    as: (login) => ({
      ...test.as(login),
      get: (url) => call("GET", login, { url }),
      post: (url, body) => call("POST", login, { url, body }),
    }),
  };
}

/** Everything of one recipient that must be after a restore what it was before, as the database has it. */
export async function readState({ pool }: Pick<Desk, "pool">, recipient: string, orders: readonly string[]) {
  const list = async (sql: string): Promise<unknown[]> => (await pool.query(sql, [recipient])).rows;
  const ofOrders = async (sql: string): Promise<unknown[]> => (await pool.query(sql, [recipient, orders])).rows;
  return {
    counters: await list("select tokens, tokens_at, unaccounted from recipient_state where recipient = $1"),
    lines: await list("select line, encode(chain, 'hex') chain, open from line where recipient = $1 order by line"),
    restarts: await list(
      `select line, encode(chain, 'hex') chain, asked_by, confirmed_at from line_restart
       where recipient = $1 order by id`,
    ),
    jobs: await ofOrders(
      `select id, state, attempt, line, result, blank, receipt_at, scanned_at, released_at is not null released,
         wrapped is not null has_key, encode(release_operation, 'hex') operation
       from job where recipient = $1 and order_id = any($2::uuid[]) order by id`,
    ),
    releases: await list(
      `select encode(operation_id, 'hex') operation, job_id, attempt, line, encode(identity, 'hex') identity, state,
         encode(leaf_hash, 'hex') leaf, outcome->>'sealed' sealed, outcome->>'signature' signature, reserved_at
       from release where recipient = $1 order by reserved_at, operation_id`,
    ),
    receipts: await list(
      `select job_id, receipt.attempt, encode(digest, 'hex') digest, encode(operation_id, 'hex') operation, received_at
       from receipt join job on job.id = job_id where recipient = $1 order by job_id`,
    ),
    cards: await ofOrders(
      `select card.id, card.validity, card.custody, card.blank, request.state
       from job join card on card.id = job.card_id join request on request.id = card.request_id
       where job.recipient = $1 and job.order_id = any($2::uuid[]) order by card.id`,
    ),
    people: await ofOrders(
      `select distinct person.id, presence, person.record_version, details is null emptied, root_erased_at is null has_root
       from job join person on person.id = job.person_id
       where job.recipient = $1 and job.order_id = any($2::uuid[]) order by person.id`,
    ),
    runs: await ofOrders(
      "select id, state, closed_at from run where recipient = $1 and order_id = any($2::uuid[]) order by id",
    ),
    approvals: await list(
      `select job_id, a.attempt, approved_at from attempt_approval a join job on job.id = job_id
       where recipient = $1 order by job_id`,
    ),
    holds: await list(
      `select id, reason, detail->>'words' words, placed_at, lifted_at from hold
       where recipient = $1 and reason <> 'restored' order by placed_at, id`,
    ),
  };
}
