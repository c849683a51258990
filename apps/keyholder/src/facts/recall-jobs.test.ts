import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { countAccounted } from "../releases/count-receipts.ts";
import {
  createScenario,
  makeBureauKeys,
  pinEverything,
  RECIPIENT,
  startTestKeyholder,
  type TestKeyholder,
  wordOf,
} from "../test-scenario.ts";
import { recallJobs } from "./recall-jobs.ts";

let held: TestKeyholder;
let world: ReturnType<typeof createScenario>;
beforeEach(async () => {
  held = await startTestKeyholder();
  const keys = makeBureauKeys();
  world = createScenario(held, keys, pinEverything(held, keys));
});
afterEach(() => held.end());

const recall = (...jobs: string[]) => recallJobs(held.keyholder, { jobs }).jobs;

test("jobs/recall tells the line and last attempt of a released job, and what was counted since", async () => {
  const job = world.makeJob();
  expect(wordOf(await world.release(job))).toBe("released");
  const released = { recipient: RECIPIENT, line: "line-1", attempt: 1, answered: false, accounted: false };
  expect(recall(job.job)).toEqual([released]);
  expect(world.count(world.receiptOf(job))).toBe(true);
  expect(recall(job.job)).toEqual([{ ...released, answered: true }]);
  countAccounted(held.keyholder, { recipient: RECIPIENT, jobs: [job.job], actor: randomUUID() });
  expect(recall(job.job)).toEqual([{ ...released, answered: true, accounted: true }]);
});

test("jobs/recall knows nothing of a job that was never released, cancelled ones among them", async () => {
  const [unasked, cancelled] = [world.makeJob(), world.makeJob()];
  const shown = world.log(cancelled, await world.ask(cancelled));
  const lost = { method: "POST", targetUri: "", headers: {}, body: "" };
  const [outcome] = await world.decide({ ...shown, request: lost, wrapped: "", context: "", person: randomUUID() });
  expect(wordOf(outcome)).toMatch(/^cancelled/);
  expect(recall(unasked.job, cancelled.job, randomUUID())).toEqual([null, null, null]);
});

test("jobs/recall of no jobs is nothing", () => {
  expect(recall()).toEqual([]);
});
