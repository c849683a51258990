import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exampleAgreement } from "../../../apps/cli/src/demo/example-agreement.ts";
import { importPeople, makeOrder } from "../../../apps/cli/src/demo/main-job.ts";
import type { Stage } from "../../../apps/cli/src/demo/stage.ts";
import { generateExtract } from "../../../apps/cli/src/example-force/index.ts";
import { establish, type Running, stopAll } from "../../../apps/cli/src/services/establish.ts";
import { type Home, initInstallation, type Settings } from "../../../apps/cli/src/services/installation.ts";
import { TERMS } from "./terms.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const SILENT: Stage["progress"] = { note: () => undefined, step: (_title, work) => work(() => undefined) };

const LINES = 4;

export type EstablishedForce = { readonly running: Running; readonly stage: Stage };
export type Established = {
  readonly home: Home;
  readonly settings: Settings;
  readonly running: Running;
  readonly order: { readonly order: string; readonly jobs: number };
};

/** A force of `people` in its register, its four processes running, and nothing ordered yet. */
export async function establishForce(options: {
  folder: string;
  people: number;
  seed: string;
}): Promise<EstablishedForce> {
  const parties = { force: "exampleshire-police", recipient: "cardmaker" };
  const { home, settings } = await initInstallation(options.folder, parties);
  const extractFolder = join(home.root, "extract");
  mkdirSync(extractFolder, { recursive: true });
  const { people, seed } = options;
  const extract = await generateExtract({ people, seed, folder: extractFolder, onProgress: () => undefined });
  const running = await establish(home, settings, { lines: LINES, logLevel: "info", agreement: tightened });
  const stage: Stage = { home, settings, progress: SILENT, extractFolder, extract, since: new Date() };
  await orStop(running, () => importPeople(stage));
  return { running, stage };
}

/** The same with one sealed order of everybody who may be in it. */
export async function establishHouse(options: { folder: string; people: number; seed: string }): Promise<Established> {
  const { running, stage } = await establishForce(options);
  const order = await orStop(running, () => makeOrder(stage));
  return { home: stage.home, settings: stage.settings, running, order };
}

async function orStop<T>(running: Running, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

function tightened(keys: Parameters<typeof exampleAgreement>[1]["keys"]): string {
  const text = exampleAgreement(repository, { keys, receiptWithin: `PT${TERMS.receiptWithinSeconds}S` });
  const limit = /^ {2}unaccounted: .*$/m;
  if (!limit.test(text)) throw new Error("card-contractor.yaml has lost its limit of unaccounted cards");
  return text.replace(limit, `  unaccounted: ${TERMS.unaccounted}`);
}
