import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { parse as parsePath } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { verifyLedger } from "../../apps/cli/src/commands/ledger.ts";
import { makeOrder } from "../../apps/cli/src/demo/main-job.ts";
import { bureauApi } from "../../apps/cli/src/services/installation.ts";
import { tipstaff } from "./command-line.ts";
import { eventually, type LiveForce, liveForce } from "./live-force.ts";

const PEOPLE = 30;
const PATIENCE_SECONDS = 2;
const LONGEST_RUN_MS = 150_000;

let force: LiveForce;
let order: { order: string; jobs: number };
beforeAll(async () => {
  force = await liveForce({ people: PEOPLE, seed: "restore" });
  order = await makeOrder(force.stage);
}, 300_000);
afterAll(() => force?.stop());

const statusSchema = z.looseObject({ jobs: z.record(z.string(), z.int()) });
const bureau = () => bureauApi(force.home, force.settings);
const produced = async () => statusSchema.parse(await bureau().get("/status")).jobs.produced ?? 0;
const print = () => bureau().post("/print", { patienceSeconds: PATIENCE_SECONDS });
const blanks = () =>
  readdirSync(force.home.printer)
    .filter((name) => name.endsWith(".pdf"))
    .map((name) => parsePath(name).name);

const holdsSchema = z.looseObject({ holds: z.array(z.looseObject({ id: z.string(), reason: z.string() })) });
const holds = async () => holdsSchema.parse(await force.as("security.one").get("/api/holds")).holds;
/** On a slow machine a receipt may be overdue, too. */
const liftAll = async () => {
  for (const { id } of await holds())
    for (const login of ["security.one", "security.two"] as const)
      await force.as(login).post(`/api/holds/${id}/lift`, {});
};

/** A run of so many jobs, all printed and answered. */
const produce = async (jobs: number) => {
  const aim = (await produced()) + jobs;
  await force.as("production.lead").post("/api/runs", { order: order.order, jobs, untilMinutes: 60 });
  await bureau().post("/fetch", {});
  for (const deadline = Date.now() + LONGEST_RUN_MS; Date.now() < deadline; ) {
    await print();
    const unanswered = await force.count("job where state = 'released'");
    if ((await produced()) >= aim && unanswered === 0) return;
    await liftAll().catch(() => undefined);
  }
  throw new Error(`not ${aim} cards within ${LONGEST_RUN_MS} ms`);
};
const scan = (count: number, from: number) =>
  force.as("front.desk").post("/api/cards/receive", {
    scans: blanks()
      .sort()
      .slice(from, from + count)
      .map((blank) => ({ blank })),
  });

const copyFolder = (from: string, to: string): void => {
  const done = spawnSync("cp", ["-a", from, to], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
};
const statesNow = () =>
  force.query(
    `select job.id, job.state, attempt, line, receipt_at, scanned_at, custody, validity, line.open, encode(chain, 'hex') chain,
       unaccounted
     from job join card on card.id = card_id join recipient_state using (recipient) left join line using (recipient, line)
     order by job.id`,
  );

test("a database that is lost after its backup comes back from the ledger: nothing printed twice, nothing forgotten", async () => {
  const { home, settings, house } = force;
  const backup = `${home.postgres}-backup`;
  await produce(5);
  await scan(2, 0);
  await house.kill("database");
  copyFolder(home.postgres, backup);
  await house.restart("database");
  await eventually("the desk is back", async () => (await force.count("job")) > 0);
  await produce(6);
  await scan(3, 2);
  const now = new Date().toISOString();
  const asked = `/api/exposure?recipient=${settings.recipient}&from=2020-01-01&to=${now}`;
  const [states, exposure] = [await statesNow(), await force.as("security.one").get(asked)];

  // A checkpoint that was signed and not published would be lost with the database.
  await eventually("all is published", async () => {
    const waiting = await force.count("ledger.waiting");
    return waiting === 0 && (await force.count("ledger.head where size = published_size")) === 1;
  });
  await house.kill("desk");
  await house.kill("database");
  rmSync(home.postgres, { recursive: true });
  copyFolder(backup, home.postgres);
  rmSync(backup, { recursive: true });
  await house.restart("database");
  expect(await tipstaff(["--home", home.root, "ledger", "rebuild", "--from-folder"])).toMatchObject({ code: 0 });
  await house.restart("desk");

  expect(await statesNow()).toEqual(states);
  expect(await force.as("security.one").get(asked)).toEqual(exposure);
  const { code, stdout } = await tipstaff(["--home", home.root, "--json", "ledger", "restored"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    rebuilt: { releases: 6, receipts: 6, scanned: 3, stubs: [], unplaced: [] },
  });

  const resent = async (...options: string[]) => {
    const args = ["--home", home.root, "--json", "bureau", "resend-receipts", ...options];
    const { code, stdout } = await tipstaff(args);
    return { code, answer: JSON.parse(stdout) };
  };
  const unsigned = "receipt where request is null";
  expect(await force.count(unsigned)).toBe(6);
  const none = { refused: {}, waiting: 0 };
  expect(await resent()).toEqual({ code: 0, answer: { sent: 11, new: 6, known: 5, ...none } });
  expect(await force.count(unsigned)).toBe(0);
  expect(await resent("--since", now)).toEqual({ code: 0, answer: { sent: 0, new: 0, known: 0, ...none } });
  expect(await resent("--order", order.order)).toEqual({ code: 0, answer: { sent: 11, new: 0, known: 11, ...none } });
  expect(await statesNow()).toEqual(states);

  const before = blanks().length;
  await print().catch(() => undefined);
  expect(blanks().length).toBe(before);
  expect((await holds()).map(({ reason }) => reason)).toContain("restored");
  await liftAll();
  await produce(order.jobs - 11);
  expect(blanks().length).toBe(order.jobs);
  expect(await force.count("job where state = 'produced'")).toBe(order.jobs);
  expect(await force.count("line where open <> 0")).toBe(0);
  const place = { place: home.tiles, openings: home.openings, verifierKey: settings.logVerifierKey };
  expect(await verifyLedger(place)).toMatchObject({ verified: true });
}, 900_000);
