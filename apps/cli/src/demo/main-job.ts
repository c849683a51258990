import { readdirSync } from "node:fs";
import { join, parse as parsePath } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { tokenFile } from "../services/home.ts";
import { bureauApi, consoleApi, deskApi, type Login } from "../services/installation.ts";
import { runApp } from "../services/processes.ts";
import type { Stage } from "./stage.ts";

const importedSchema = z.looseObject({
  people: z.int(),
  photos: z.int(),
  rowsRefused: z.int(),
  columnsNotStored: z.array(z.looseObject({ name: z.string(), category: z.string() })),
});
export type Imported = z.infer<typeof importedSchema>;

const orderSchema = z.looseObject({ order: z.string(), jobs: z.int() });
export type Order = z.infer<typeof orderSchema>;

const runSchema = z.looseObject({ run: z.string() });
const bureauStatusSchema = z.looseObject({
  printing: z.boolean(),
  jobs: z.record(z.string(), z.int()),
  /** Jobs that the desk refused, by code. */
  refused: z.record(z.string(), z.int()),
  uncertain: z.array(z.looseObject({ job: z.string(), blank: z.string() })),
});
const holdsSchema = z.looseObject({
  holds: z.array(z.looseObject({ id: z.string(), reason: z.string(), liftedAt: z.string().nullish() })),
});
const countSchema = z.record(z.string(), z.unknown());

export type Hold = { reason: string };
/** `missing`: jobs without a usable card, whose approvals stand for the next order. */
export type Produced = { spoiled: number; produced: number; missing: number; holds: Hold[] };

const OPENINGS_PER_PERSON = 3;
const SPARE_OPENINGS = 100;
const SPOILED_CARDS = [5, 17, 40];
const LOST_RECEIPT = [29];
const POLL_MS = 500;
const RECEIPT_ON_ITS_WAY_MS = 30_000;
const LONGEST_RUN_MS = 45 * 60_000;
const HANDED_OVER_SHARE = 0.2;
const BATCH = 1000;

const as = (stage: Stage, login: Login) => deskApi(stage.home, stage.settings, login);

/** HR's extract and the portraits go into the register; what the register has no authority to hold stays outside. */
export function importPeople(stage: Stage): Promise<Imported> {
  return stage.progress.step("Import: people and portraits", async () => {
    const { extractFolder, home } = stage;
    const args = ["import", join(extractFolder, "extract.csv"), "--photos", join(extractFolder, "photos")];
    const faults = ["--errors", join(home.reports, "import-errors.csv"), "--max-errors", "3"];
    const config = ["--config", home.deskConfig, "--token-file", tokenFile(home, "hr.clerk")];
    const { code, stdout } = await runApp("desk", [...args, ...faults, ...config, "--json"], {
      progress: true,
    });
    if (code > 1) throw new CliError("failed", `The import ended with code ${code}.`, "See above.");
    return importedSchema.parse(JSON.parse(stdout));
  });
}

/** Requests by one person, approvals by another, an order under the agreement; faces composed and sealed. */
export async function makeOrder(stage: Stage): Promise<Order> {
  const { progress } = stage;
  await consoleApi(stage.home).post("/budget/raise", {
    openings: stage.extract.good * OPENINGS_PER_PERSON + SPARE_OPENINGS,
    reason: "order of the demonstration",
  });
  await progress.step("Requests and approvals (two people; covert posts by their custodian)", async () => {
    await as(stage, "cards.clerk").post("/api/requests", { all: true });
    await as(stage, "covert.custodian").post("/api/requests", { all: true });
    await as(stage, "cards.approver").post("/api/requests/approve", { all: true });
    await as(stage, "covert.second").post("/api/requests/approve", { all: true });
  });
  const progressSchema = z.looseObject({ progress: z.looseObject({ done: z.int(), total: z.int() }) });
  return progress.step("Order: faces composed, every card sealed on its own", async (report) => {
    const body = { recipient: stage.settings.recipient };
    const last = await as(stage, "production.lead").stream("/api/orders", body, (line) => {
      const parsed = progressSchema.safeParse(line);
      if (parsed.success) report(parsed.data.progress.done, parsed.data.progress.total);
    });
    return orderSchema.parse(last);
  });
}

/** A run is opened, the bureau prints it; a hold that trips is looked into and lifted by two people. */
export async function produce(
  stage: Stage,
  order: Order,
  options: { faults: boolean } = { faults: true },
): Promise<Produced> {
  const bureau = bureauApi(stage.home, stage.settings);
  const lead = as(stage, "production.lead");
  const { run } = runSchema.parse(await lead.post("/api/runs", { order: order.order, untilMinutes: 480 }));
  const faults = options.faults ? { spoil: SPOILED_CARDS, loseReceipt: LOST_RECEIPT } : {};
  const holds: Hold[] = [];
  const before = await status(bureau);
  await stage.progress.step(`Run: ${order.jobs} cards, released one by one, printed, receipted`, async (report) => {
    await bureau.post("/fetch", {});
    const printing = startPrinting(bureau, { run, ...faults });
    const deadline = Date.now() + LONGEST_RUN_MS;
    for (;;) {
      const now = await status(bureau);
      const done = finished(now) - finished(before);
      report(done, order.jobs);
      if (done >= order.jobs) break;
      await lookInto(stage, holds);
      if (printing.isOver()) printing.again({ run });
      if (Date.now() > deadline) throw new CliError("failed", "The run does not end.", "Read the logs.");
      await sleep(POLL_MS);
    }
    await printing.end();
  });
  await lead.post(`/api/runs/${run}/close`, {});
  const after = await status(bureau);
  const counted = (state: string) => (after.jobs[state] ?? 0) - (before.jobs[state] ?? 0);
  const produced = counted("produced");
  return { spoiled: counted("spoiled"), produced, missing: order.jobs - produced, holds };
}

/** A print call is answered when its lines have nothing more to do, so it is looked after while it goes on. */
function startPrinting(bureau: ReturnType<typeof bureauApi>, first: object) {
  let ended: { error?: unknown } | undefined;
  let running = Promise.resolve();
  const call = (body: object) => {
    ended = undefined;
    running = bureau.post("/print", body).then(
      () => {
        ended = {};
      },
      (error: unknown) => {
        ended = { error };
      },
    );
  };
  call(first);
  const isOver = () => {
    if (ended?.error !== undefined) throw ended.error;
    return ended !== undefined;
  };
  return { isOver, again: call, end: () => running.then(isOver) };
}

type Status = z.infer<typeof bureauStatusSchema>;
const status = async (bureau: ReturnType<typeof bureauApi>): Promise<Status> =>
  bureauStatusSchema.parse(await bureau.get("/status"));
/** A job that was on its way when a hold came is withdrawn: its card comes with the next order. */
const finished = ({ jobs, refused }: Status): number =>
  (jobs.produced ?? 0) + (jobs.spoiled ?? 0) + (refused.withdrawn ?? 0);

/** If a hold stands: an operator looks at the blank and signs, two people of the force lift. Answers whether it did. */
async function lookInto(stage: Stage, holds: Hold[]): Promise<boolean> {
  const security = as(stage, "security.one");
  const open = holdsSchema.parse(await security.get("/api/holds")).holds.filter((hold) => !hold.liftedAt);
  if (open.length === 0) return false;
  const bureau = bureauApi(stage.home, stage.settings);
  for (const { job, blank } of (await status(bureau)).uncertain) {
    const printed = readdirSync(stage.home.printer).includes(`${blank}.pdf`);
    await bureau.post("/resolve", { job, result: printed ? "produced" : "spoiled", operator: "operator-7" });
  }
  for (const { id, reason } of open) {
    stage.progress.note(`hold: ${reason}; the operator looked at the blank, two people lift it`);
    holds.push({ reason });
    await whenLookedInto(() => security.post(`/api/holds/${id}/lift`, {}));
    await as(stage, "security.two").post(`/api/holds/${id}/lift`, {});
  }
  return true;
}

/** The operator's receipt is on its way: until it is there, the hold may not be lifted. */
async function whenLookedInto(lift: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + RECEIPT_ON_ITS_WAY_MS;
  for (;;) {
    try {
      await lift();
      return;
    } catch (error) {
      const isEarly = error instanceof CliError && error.message.includes("[not-looked-into]");
      if (!isEarly || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

const receivedSchema = z.looseObject({
  received: z.int(),
  cards: z.array(z.looseObject({ number: z.string(), validity: z.string() })),
});

/** Cards travel: scanned in at the force, the first of them handed over after an identity check. */
export function finishCards(stage: Stage): Promise<{ received: number; handedOver: number }> {
  return stage.progress.step("Cards scanned in at the force, the first handed over", async (report) => {
    const blanks = [stage.home.printer, join(stage.home.printer, "spoiled")].flatMap(blanksIn);
    const usable: string[] = [];
    let received = 0;
    for (let at = 0; at < blanks.length; at += BATCH) {
      const scans = blanks.slice(at, at + BATCH).map((blank) => ({ blank }));
      const answer = receivedSchema.parse(await as(stage, "front.desk").post("/api/cards/receive", { scans }));
      received += answer.received;
      usable.push(...answer.cards.filter(({ validity }) => validity === "inactive").map(({ number }) => number));
      report(received, blanks.length);
    }
    const cards = usable.slice(0, Math.ceil(usable.length * HANDED_OVER_SHARE));
    for (let at = 0; at < cards.length; at += BATCH) {
      const body = { cards: cards.slice(at, at + BATCH).map((number) => ({ number, identityChecked: true })) };
      countSchema.parse(await as(stage, "front.desk").post("/api/cards/hand-over", body));
    }
    return { received, handedOver: cards.length };
  });
}

function blanksIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".pdf"))
    .map((entry) => parsePath(entry.name).name);
}
