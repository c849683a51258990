import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exampleAgreement } from "../../../apps/cli/src/demo/example-agreement.ts";
import { importPeople, makeOrder } from "../../../apps/cli/src/demo/main-job.ts";
import type { Stage } from "../../../apps/cli/src/demo/stage.ts";
import { generateExtract } from "../../../apps/cli/src/example-force/index.ts";
import { establish, type Running } from "../../../apps/cli/src/services/establish.ts";
import { type Home, initInstallation, type Settings } from "../../../apps/cli/src/services/installation.ts";
import { TERMS } from "./terms.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const SILENT: Stage["progress"] = { note: () => undefined, step: (_title, work) => work(() => undefined) };

const LINES = 4;

export type Established = {
  readonly home: Home;
  readonly settings: Settings;
  readonly running: Running;
  readonly order: { readonly order: string; readonly jobs: number };
};

/** A force of `people` with one sealed order, and its four processes running. */
export async function establishHouse(options: { folder: string; people: number; seed: string }): Promise<Established> {
  const parties = { force: "exampleshire-police", recipient: "cardmaker" };
  const { home, settings } = await initInstallation(options.folder, parties);
  const extractFolder = join(home.root, "extract");
  mkdirSync(extractFolder, { recursive: true });
  const { people, seed } = options;
  const extract = await generateExtract({ people, seed, folder: extractFolder, onProgress: () => undefined });
  const agreement = (keys: Parameters<typeof exampleAgreement>[1]["keys"]) => tightened(keys);
  const running = await establish(home, settings, { lines: LINES, logLevel: "info", agreement });
  const stage: Stage = { home, settings, progress: SILENT, extractFolder, extract, since: new Date() };
  await importPeople(stage);
  return { home, settings, running, order: await makeOrder(stage) };
}

function tightened(keys: Parameters<typeof exampleAgreement>[1]["keys"]): string {
  const text = exampleAgreement(repository, { keys, receiptWithin: `PT${TERMS.receiptWithinSeconds}S` });
  const limit = /^ {2}unaccounted: .*$/m;
  if (!limit.test(text)) throw new Error("card-contractor.yaml has lost its limit of unaccounted cards");
  return text.replace(limit, `  unaccounted: ${TERMS.unaccounted}`);
}
